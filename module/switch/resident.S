/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Events served in the guest's world: system calls and returns from them.
 *
 * Leaving for the host costs two loads of CR3 and of the descriptor tables, and the
 * registers around them; a system call would pay that three times over. So its
 * entry, and the IRET or SYSEXIT that ends it, are done here, at ring 0 of the
 * guest's world, for the one case that matters: flat segments, one user code and
 * stack segment, nothing pending, nobody stepping.
 *
 * Everything that the instruction would read is read, in the guest's memory as it
 * is now, and compared with what vm/exec_resident.c made its preparations from: the
 * gate, the code and stack descriptors, the stack in the TSS, and on the way to
 * ring 3 the whole descriptor table, because ring 3 may load any of it. Whatever
 * differs, is missing or is out of the ordinary leaves for the host as if this file
 * did not exist; up to that point only bytes below the guest's new stack pointer
 * have changed.
 *
 * Guest memory is reached at its linear address: the tables are the guest's, ring 0
 * is as supervisor as the guest's kernel, CR0.WP is set. Addresses are checked to
 * stay below the monitor page. A page fault between .Lres_mem and
 * .Lres_mem_end means that the shadow lacks the page: leave.
 *
 * area->frame is the guest's state all the time, the old one or the new one. An NMI
 * that finds late events to be noted between .Lres_resume and its end is turned
 * round to .Lres_late, where the new state leaves: nothing is done twice.
 *
 * A part of entry.S, which includes it.
 */
#define MPAGE		0xfffff000
#define LAST_FRAME	0xffffefec	/* 20 bytes from here end below the monitor page */
#define FL_IF_BIT	9
#define FL_STEP		0x00004100	/* NT, TF */
#define FL_UNUSUAL	0x001a7100	/* VIP, VIF, VM, NT, IOPL, TF */
#define FL_KERNEL	0x00240cd5	/* of an image, that ring 0 gets: ID, AC, OF, DF, SF ... */
#define FL_USER		0x00250cd5	/* ring 3: RF too */
#define FL_RUN		0x00000202	/* IF, and bit 1 */

#define SEL(n)		(M_SEL + 4 * (n))
#define LOADED(n)	(M_LOADED + 4 * (n))
#define ENTRY(n, what)	(R_ENTRY + 12 * (n) + (what))
#define WAY(n)		(R_WAY + 8 * (n))
#define ES_		0
#define CS_		1
#define SS_		2
#define DS_		3
#define FS_		4
#define GS_		5

.Lres_begin:

/*
 * From the vector stubs. %eax: vector; %rdi: area; the frame is complete but for the
 * data segments, which are the guest's still.
 */
.Lresident:
	lea	R_STACK_END(%rdi), %rsp
	testl	$FL_STEP, (A_FRAME + F_RFLAGS)(%rdi)
	jnz	.Lleave
	mov	R_ARMED(%rdi), %ecx
	cmp	$VMON_SYSCALL_VECTOR, %eax
	je	.Lgate
	cmp	$VMON_IRET_VECTOR, %eax
	je	.Liret
	cmp	$VMON_SYSEXIT_VECTOR, %eax
	je	.Lsysexit
	cmp	$13, %eax
	je	.Lgp
.Lleave:
	jmp	.Lsave_segs

/* Jumps to .Lleave unless ES, DS and FS are what the entries are made for. */
.macro check_entry_segments
	mov	%es, %eax
	cmp	ENTRY(0, RE_SEL)(%rdi), %eax
	jne	.Lleave
	mov	%ds, %eax
	cmp	ENTRY(1, RE_SEL)(%rdi), %eax
	jne	.Lleave
	mov	%fs, %eax
	cmp	ENTRY(2, RE_SEL)(%rdi), %eax
	jne	.Lleave
.endm

/* The frame's user CS and SS are the ones to return to. */
.macro check_user_frame
	mov	R_UCS(%rdi), %eax
	cmp	%rax, (A_FRAME + F_CS)(%rdi)
	jne	.Lleave
	mov	R_USS(%rdi), %eax
	cmp	%rax, (A_FRAME + F_SS)(%rdi)
	jne	.Lleave
.endm

/* SYSENTER at ring 3: IA32_SYSENTER_CS is zero, so it raised #GP(0). */
.Lgp:
	test	$VMON_RES_SYSENTER, %ecx
	jz	.Lleave
	cmpq	$0, (A_FRAME + F_ERROR)(%rdi)
	jne	.Lleave
	check_user_frame
	check_entry_segments
	mov	(A_FRAME + F_RIP)(%rdi), %ebx
	cmp	$LAST_FRAME, %ebx
	ja	.Lleave
	jmp	.Lgp_mem

.Lgate:
	test	$VMON_RES_GATE, %ecx
	jz	.Lleave
	check_user_frame
	check_entry_segments
	jmp	.Lgate_mem

.Liret:
	test	$VMON_RES_IRET, %ecx
	jz	.Lleave
	mov	(A_FRAME + F_RSP)(%rdi), %ecx
	cmp	$LAST_FRAME, %ecx
	ja	.Lleave
	jmp	.Liret_mem

.Lsysexit:
	test	$VMON_RES_SYSEXIT, %ecx
	jz	.Lleave
	mov	$MPAGE, %ebx
	cmpl	$0, M_VIF(%rbx)
	je	.Lleave
	cmpl	$0, M_VIOPL(%rbx)
	jne	.Lleave
	cmpl	$0, M_PENDING(%rbx)
	jne	.Lleave
	mov	(A_FRAME + F_RDX)(%rdi), %r8d
	mov	(A_FRAME + F_RCX)(%rdi), %r9d
	mov	(A_FRAME + F_RFLAGS)(%rdi), %r10d
	jmp	.Luser_mem

/* --- guest memory from here on --- */
.Lres_mem:

.Lgp_mem:
	cmpw	$0x340f, (%rbx)
	jne	.Lleave
	mov	R_SYSENTER_TC(%rdi), %r8d
	mov	R_SYSENTER_ESP(%rdi), %r9d
	xor	%r10d, %r10d
	jmp	.Lenter_kernel

.Lgate_mem:
	mov	R_GATE_GVA(%rdi), %ebx
	mov	R_GATE(%rdi), %rax
	cmp	%rax, (%rbx)
	jne	.Lleave
	mov	R_KCS_GVA(%rdi), %ebx
	mov	R_KCS_DESC(%rdi), %rax
	cmp	%rax, (%rbx)
	jne	.Lleave
	mov	R_KSS_GVA(%rdi), %ebx
	mov	R_KSS_DESC(%rdi), %rax
	cmp	%rax, (%rbx)
	jne	.Lleave
	mov	R_TSS_GVA(%rdi), %ebx
	movzwl	4(%rbx), %eax
	cmp	R_KSS(%rdi), %eax
	jne	.Lleave
	mov	(%rbx), %r9d
	sub	$20, %r9d
	cmp	$LAST_FRAME, %r9d
	ja	.Lleave
	mov	(A_FRAME + F_SS)(%rdi), %eax
	mov	%eax, 16(%r9)
	mov	(A_FRAME + F_RSP)(%rdi), %eax
	mov	%eax, 12(%r9)
	mov	(A_FRAME + F_RFLAGS)(%rdi), %eax
	mov	%eax, 8(%r9)
	mov	(A_FRAME + F_CS)(%rdi), %eax
	mov	%eax, 4(%r9)
	mov	(A_FRAME + F_RIP)(%rdi), %eax
	mov	%eax, (%r9)
	mov	R_GATE_TC(%rdi), %r8d
	mov	R_GATE_VIF(%rdi), %r10d
	jmp	.Lenter_kernel

.Liret_mem:
	mov	(%rcx), %r8d
	movzwl	4(%rcx), %eax
	mov	8(%rcx), %r10d
	test	$FL_UNUSUAL, %r10d
	jnz	.Lleave
	mov	$MPAGE, %ebx
	cmp	R_CS(%rdi), %eax
	je	.Liret_kernel
	cmp	R_UCS(%rdi), %eax
	jne	.Lleave
	bt	$FL_IF_BIT, %r10d
	jnc	.Lleave
	cmpl	$0, M_PENDING(%rbx)
	jne	.Lleave
	mov	12(%rcx), %r9d
	movzwl	16(%rcx), %eax
	cmp	R_USS(%rdi), %eax
	jne	.Lleave

/* %r8d, %r9d, %r10d: EIP, ESP and flags for ring 3. */
.Luser_mem:
	mov	R_GDT_QUADS(%rdi), %ecx
	mov	R_GDT_GVA(%rdi), %esi
1:	mov	-8(%rsi, %rcx, 8), %rax
	cmp	(R_GDT - 8)(%rdi, %rcx, 8), %rax
	jne	.Lleave
	dec	%ecx
	jnz	1b
	jmp	.Lenter_user

/* To the same ring and segment: interrupts in the kernel, and sync_core(). */
.Liret_kernel:
	cmp	R_KCS(%rdi), %eax
	jne	.Lleave
	mov	R_KCS_GVA(%rdi), %edx
	mov	R_KCS_DESC(%rdi), %rax
	cmp	%rax, (%rdx)
	jne	.Lleave
	bt	$FL_IF_BIT, %r10d
	jnc	1f
	cmpl	$0, M_PENDING(%rbx)
	jne	.Lleave
	/* The translator's table: translator/chain.c. */
1:	movzwl	%r8w, %eax
	shl	$3, %eax
	add	R_LUT(%rdi), %eax
	mov	%r8d, %edx
	add	(%rax), %edx
	jz	2f
	add	$8, %eax
	mov	%r8d, %edx
	add	(%rax), %edx
	jnz	.Lleave
2:	mov	4(%rax), %r8d
	jmp	.Lstay_kernel
.Lres_mem_end:

/* --- nothing can go wrong from here on --- */

/* %r8d: translated code; %r9d: ESP; %r10d: the interrupt flag. */
.Lenter_kernel:
	mov	$MPAGE, %ebx
	mov	%r10d, M_VIF(%rbx)
	movl	$0, M_VIOPL(%rbx)
	mov	R_KCS(%rdi), %eax
	mov	%eax, SEL(CS_)(%rbx)
	mov	%eax, R_CS(%rdi)
	mov	R_KSS(%rdi), %eax
	mov	%eax, SEL(SS_)(%rbx)
	mov	%gs, %eax
	mov	%eax, SEL(GS_)(%rbx)
	mov	%eax, R_GS(%rdi)
.macro enter_segment reg n index
	mov	ENTRY(\index, RE_SEL)(%rdi), %eax
	mov	%eax, SEL(\n)(%rbx)
	mov	ENTRY(\index, RE_WAY)(%rdi), %eax
	mov	%eax, LOADED(\n)(%rbx)
	mov	ENTRY(\index, RE_SLOT)(%rdi), %eax
	mov	%eax, \reg
.endm
	enter_segment %es ES_ 0
	enter_segment %ds DS_ 1
	enter_segment %fs FS_ 2
	mov	$VMON_SEL_GS1, %eax
	mov	%eax, %gs
	movq	$VMON_SEL_CS1, (A_FRAME + F_CS)(%rdi)
	movq	$VMON_SEL_SS1, (A_FRAME + F_SS)(%rdi)
	mov	%r8, (A_FRAME + F_RIP)(%rdi)
	mov	%r9, (A_FRAME + F_RSP)(%rdi)
	andl	$FL_KERNEL, (A_FRAME + F_RFLAGS)(%rdi)
	orl	$FL_RUN, (A_FRAME + F_RFLAGS)(%rdi)
	movl	$0, R_CPL(%rdi)
	incl	R_CROSSED(%rdi)
	incq	(R_COUNT + RC_SYSCALL)(%rdi)
	jmp	.Lres_resume

.Lstay_kernel:
	mov	%r10d, %eax
	and	$(1 << FL_IF_BIT), %eax
	mov	%eax, M_VIF(%rbx)
	movl	$0, M_VIOPL(%rbx)
	mov	%r8, (A_FRAME + F_RIP)(%rdi)
	addl	$12, (A_FRAME + F_RSP)(%rdi)
	and	$FL_KERNEL, %r10d
	or	$FL_RUN, %r10d
	mov	%r10, (A_FRAME + F_RFLAGS)(%rdi)
	incq	(R_COUNT + RC_IRET)(%rdi)
	jmp	.Lres_resume

/* The data segments: those of the ways that hold what ring 3 may have, or leave. */
.Lenter_user:
	mov	$MPAGE, %ebx
.macro user_segment reg n index
	mov	LOADED(\n)(%rbx), %eax
	and	$1, %eax
	mov	WAY(\index)(%rdi, %rax, 4), \reg
	test	\reg, \reg
	js	.Lleave
.endm
	user_segment %ecx ES_ 0
	user_segment %edx DS_ 1
	user_segment %esi FS_ 2
	mov	R_GS(%rdi), %r11d
	test	%r11d, %r11d
	js	.Lleave
	mov	%ecx, %es
	mov	%edx, %ds
	mov	%esi, %fs
	mov	%r11d, %gs
	movl	$(1 << FL_IF_BIT), M_VIF(%rbx)
	mov	R_UCS(%rdi), %eax
	mov	%rax, (A_FRAME + F_CS)(%rdi)
	mov	R_USS(%rdi), %eax
	mov	%rax, (A_FRAME + F_SS)(%rdi)
	mov	%r8, (A_FRAME + F_RIP)(%rdi)
	mov	%r9, (A_FRAME + F_RSP)(%rdi)
	and	$FL_USER, %r10d
	or	$FL_RUN, %r10d
	mov	%r10, (A_FRAME + F_RFLAGS)(%rdi)
	movl	$3, R_CPL(%rdi)
	incq	(R_COUNT + RC_RETURN)(%rdi)

.Lres_resume:
	cmpq	$0, A_LATE(%rdi)
	jne	.Lres_late
	lea	(A_FRAME + F_RIP)(%rdi), %rsp
	enter_guest
.Lres_resume_end:

/* An NMI or #MC came while the guest was served: leave with its new state. */
.Lres_late:
	movq	$2, (A_FRAME + F_VECTOR)(%rdi)
	jmp	.Lsave_segs
