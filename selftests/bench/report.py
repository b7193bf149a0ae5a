#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""The report of `make bench`: logs to text, JSON and plots.

usage: report.py RESULTS OUTPUT

Every figure comes from a log of RESULTS; what was not measured is "-" and no target is met
by it. The lines of the logs: "bench NAME OPS TICKS", "count NAME OPS COUNTER=N...".
"""
import json
import os
import re
import sys
import time

import plot

HERE = os.path.dirname(os.path.abspath(__file__))
# log, section in it, emulator, where the guest ran
LOGS = [
    ("nano-bochs-native", None, "bochs", "native"),
    ("linux-bochs-native", None, "bochs", "native"),
    ("bochs-vmon", "vmon/nano", "bochs", "vmon"),
    ("bochs-vmon", "vmon/linux", "bochs", "vmon"),
    ("nano-qemu-native", None, "qemu", "native"),
    ("linux-qemu-native", None, "qemu", "native"),
    ("qemu-vmon", "vmon/nano", "qemu", "vmon"),
    ("qemu-vmon", "vmon/linux", "qemu", "vmon"),
    ("qemu-vmon", "peer/nano", "qemu", "peer"),
    ("qemu-vmon", "peer/linux", "qemu", "peer"),
    ("icount", "vmon/nano", "icount", "vmon"),
    ("icount", "vmon/linux", "icount", "vmon"),
    ("icount", "peer/nano", "icount", "peer"),
    ("icount", "peer/linux", "icount", "peer"),
]
# Counters that say why a guest was left.
CAUSES = ["page_fault_true", "page_fault_hidden", "page_fault_trace", "callout",
          "callout_emulate", "interrupt_host", "exc_gp", "exc_ud", "exc_nm", "exc_other",
          "emulated_insns", "io_port_module", "io_port_daemon", "interrupt_injected", "hlt",
          "tu_translated", "cr3_loads", "shadow_pages", "resident_syscall", "resident_return",
          "resident_iret"]

# Counters that the asking itself moves, not always by the same.
NOISE = ["io_port_daemon", "interrupt_injected", "exc_injected"]


def section(text, name):
    """The lines between "begin NAME" and "end NAME"; all of them without a name."""
    if not name:
        return text.splitlines()
    lines, on = [], False
    for line in text.splitlines():
        if line.startswith("end " + name):
            break
        if on:
            lines.append(line)
        on = on or line == "begin " + name
    return lines


class Measured:
    """What one guest said in one place."""

    def __init__(self):
        self.bench = {}         # name: ticks an operation
        self.count = {}         # name: {counter: an operation}
        self.asking = {}        # what reading the counters costs itself
        self.mitigations = []

    def add(self, lines):
        began = None
        self.asking = {}
        for line in lines:
            word = line.split()
            if line.startswith("stamp ") and began is None and len(word) == 2:
                began = int(word[1])
            elif line.startswith("bench ") and len(word) == 4:
                ticks = int(word[3])
                # Under vmon the counter is the host's, from the host's start.
                if word[1] == "boot" and began and ticks > began:
                    ticks -= began
                self.bench[word[1]] = ticks / int(word[2])
            elif line.startswith("count ") and len(word) >= 3:
                total = {key: int(value) for key, value in (w.split("=") for w in word[3:])}
                if word[1] == "empty":
                    self.asking = dict(total)
                for key in total:
                    total[key] = max(total[key] - self.asking.get(key, 0), 0)
                    # The names asked for differ in length.
                    if key in NOISE and total[key] < 40:
                        total[key] = 0
                self.count[word[1]] = {
                    key: value / int(word[2]) for key, value in total.items()}
            elif line.startswith("mitigation "):
                self.mitigations.append(line)

    def derive(self):
        """lmbench's: the switch alone, without the pipes."""
        if "pipe_switch" in self.bench and "pipe_alone" in self.bench:
            self.bench["ctx_switch"] = self.bench["pipe_switch"] / 2 - self.bench["pipe_alone"]
            if "pipe_switch" in self.count:
                self.count["ctx_switch"] = {
                    key: value / 2 - self.count.get("pipe_alone", {}).get(key, 0)
                    for key, value in self.count["pipe_switch"].items()}
        self.count.pop("empty", None)


def load(results):
    places, ages = {}, {}
    for log, name, emulator, where in LOGS:
        path = os.path.join(results, log + ".log")
        if not os.path.exists(path):
            continue
        ages[log] = os.path.getmtime(path)
        with open(path, errors="replace") as file:
            lines = section(file.read(), name)
        places.setdefault((emulator, where), Measured()).add(lines)
    for place in places.values():
        place.derive()
    return places, ages


def load_cpu(results):
    """bt_run's table: {row: (native, translated)}; 0: cannot be timed."""
    path = os.path.join(results, "cpu.log")
    rows = {}
    if os.path.exists(path):
        with open(path) as file:
            for line in file:
                m = re.match(r"# (.{26}) +([\d.]+) +([\d.]+)$", line)
                if m:
                    rows[m.group(1).strip()] = (float(m.group(2)), float(m.group(3)))
    return rows


def load_memory(results):
    """Lines "memory VMS MIB OWN TAKEN", in KiB."""
    path = os.path.join(results, "memory.log")
    rows = []
    if os.path.exists(path):
        with open(path, errors="replace") as file:
            for line in file:
                word = line.split()
                if len(word) == 5 and word[0] == "memory" and int(word[1]):
                    vms, mib, own, taken = (int(w) for w in word[1:])
                    beside = (taken - own) / 1024 / vms
                    # An earlier VM's memory came back meanwhile.
                    if beside <= 0:
                        continue
                    rows.append({"vms": vms, "mib": mib, "each": beside,
                                 "limit": 0.03 * mib + 4})
    return rows


class Costs:
    """costs.tsv: events, paths made of events, counters that stand for either."""

    def __init__(self):
        self.price = {"-": 0}
        self.counts = []
        with open(os.path.join(HERE, "costs.tsv")) as file:
            for line in file:
                line = line.rstrip("\n")
                if not line or line.startswith("#"):
                    continue
                cell = line.split("\t")
                kind = cell[0].split()
                if kind[0] == "path":
                    self.price[kind[1]] = self.sum(cell[1])
                elif kind[0] == "count":
                    self.counts.append((kind[1], self.sum(cell[1]), self.sum(cell[2])))
                else:
                    self.price[cell[0]] = float(cell[1])

    def sum(self, events):
        total = 0
        for event in events.split():
            name, _, times = event.partition("*")
            total += self.price[name] * int(times or 1)
        return total

    def of(self, count):
        """(under vmon, alone): cycles beyond the instructions, an operation."""
        vmon = sum(count.get(name, 0) * price for name, price, _ in self.counts)
        alone = sum(count.get(name, 0) * price for name, _, price in self.counts)
        return vmon, alone


def ratio(a, b):
    return a / b if a is not None and b else None


def rows_of(places, costs):
    """One row a benchmark, in the order in which they were run."""
    def get(emulator, where, name):
        place = places.get((emulator, where))
        return place.bench.get(name) if place else None

    names = []
    for place in places.values():
        for name in place.bench:
            if name not in names:
                names.append(name)
    rows = []
    for name in names:
        row = {"name": name,
               "native": get("bochs", "native", name), "vmon": get("bochs", "vmon", name)}
        row["ratio"] = ratio(row["vmon"], row["native"])
        count = {}
        if ("bochs", "vmon") in places:
            count = places[("bochs", "vmon")].count.get(name, {})
        row["counts"] = count
        row["exits"] = count.get("entries")
        if count and row["vmon"] is not None and row["native"] is not None:
            more, alone = costs.of(count)
            row["priced_native"] = row["native"] + alone
            row["priced_vmon"] = row["vmon"] + more
            row["priced_ratio"] = ratio(row["priced_vmon"], row["priced_native"])
            if count.get("entries", 0) > 0.01:
                row["each_exit"] = (row["vmon"] - row["native"]) / count["entries"]
        native, vmon = get("qemu", "native", name), get("qemu", "vmon", name)
        row["qemu_ratio"] = ratio(vmon, native)
        row["peer_wall"] = ratio(get("qemu", "peer", name), vmon)
        row["peer_ratio"] = ratio(get("icount", "peer", name), get("icount", "vmon", name))
        rows.append(row)
    return rows


def targets_of(rows, cpu):
    by_name = {row["name"]: row for row in rows}
    targets = []
    with open(os.path.join(HERE, "targets.tsv")) as file:
        for line in file:
            if not line.strip() or line.startswith("#"):
                continue
            what, measure, limit = line.rstrip("\n").split("\t")
            kind, _, name = measure.partition(" ")
            row = by_name.get(name, {})
            at_least = kind == "peer"
            if kind == "instructions":
                value = row.get("ratio")
            elif kind == "count":
                value = row.get("vmon")
            elif kind == "peer":
                value = row.get("peer_ratio")
            elif kind == "cpu":
                value = ratio(*reversed(cpu[name])) if name in cpu else None
            else:
                name, price = name.split("|")
                value = cpu[name][1] / float(price) if name in cpu else None
            limit = float(limit)
            met = None
            if value is not None:
                met = value >= limit if at_least else value <= limit
            targets.append({"what": what, "measure": measure, "limit": limit,
                            "at_least": at_least, "value": value, "met": met,
                            "priced": row.get("priced_ratio") if kind == "instructions" else None})
    return targets


def number(value, digits=2):
    if value is None:
        return "-"
    if abs(value) < 0.005:
        return "0"
    if abs(value) >= 10000:
        return f"{value:,.0f}"
    return f"{value:.{digits}f}" if abs(value) < 100 else f"{value:.0f}"


def text_of(rows, targets, cpu, memory, places, ages):
    out = ["vmon: what software virtualization costs", ""]
    out += [f"{log}: {time.strftime('%Y-%m-%d %H:%M', time.localtime(at))}"
            for log, at in sorted(ages.items())]
    out += ["", "Targets", "",
            f"{'':32} {'target':>9} {'value':>9} {'priced':>9}  "]
    for t in targets:
        sign = ">=" if t["at_least"] else "<="
        verdict = {True: "met", False: "MISSED", None: "not measured"}[t["met"]]
        out.append(f"{t['what']:32} {sign + ' ' + number(t['limit']):>9} "
                   f"{number(t['value']):>9} {number(t['priced']):>9}  {verdict}")
    out += ["", "Instructions an operation, in Bochs; wall time in QEMU", "",
            f"{'':16} {'alone':>14} {'vmon':>14} {'ratio':>8} {'priced':>8} {'exits':>8} "
            f"{'each':>8} {'QEMU':>8} {'peer':>8} {'wall':>8}"]
    for r in rows:
        out.append(f"{r['name']:16} {number(r['native']):>14} {number(r['vmon']):>14} "
                   f"{number(r['ratio']):>8} {number(r.get('priced_ratio')):>8} "
                   f"{number(r['exits']):>8} {number(r.get('each_exit'), 0):>8} "
                   f"{number(r['qemu_ratio']):>8} {number(r['peer_ratio']):>8} "
                   f"{number(r['peer_wall']):>8}")
    out += ["", "ratio: vmon to alone. priced: with costs.tsv. exits: world switches an operation;",
            "each: instructions beyond the guest's own for one of them. QEMU: time under vmon to",
            "time in QEMU alone. peer: instructions of QEMU in the host to those of vmon there;",
            "wall: the same in time.",
            "", "Why the guest was left, events an operation (above 0.01)", ""]
    for r in rows:
        causes = [(key, r["counts"].get(key, 0)) for key in CAUSES]
        said = [f"{key} {number(value)}" for key, value in causes if value > 0.01]
        if said:
            out.append(f"{r['name']:16} " + ", ".join(said))
    if cpu:
        out += ["", "Translated code on this machine's CPU, cycles without the loop's", "",
                f"{'':24} {'native':>8} {'translated':>10} {'ratio':>8}"]
        for name, (native, translated) in cpu.items():
            out.append(f"{name:24} {number(native or None, 1):>8} {number(translated, 1):>10} "
                       f"{number(ratio(translated, native)):>8}")
    if memory:
        out += ["", "Memory that a VM takes beside the guest's own, MiB each", "",
                f"{'VMs':>4} {'guest MiB':>10} {'each':>8} {'target':>9}"]
        for m in memory:
            verdict = "met" if m["each"] <= m["limit"] else "MISSED"
            out.append(f"{m['vms']:>4} {m['mib']:>10} {number(m['each']):>8} "
                       f"{'<= ' + number(m['limit'], 1):>9} {verdict}")
    native, vmon = places.get(("bochs", "native")), places.get(("bochs", "vmon"))
    if native and vmon and native.mitigations and native.mitigations != vmon.mitigations:
        out += ["", "The guest's kernel defends itself in different ways:", "alone:"]
        out += ["  " + line for line in native.mitigations]
        out += ["under vmon:"] + ["  " + line for line in vmon.mitigations]
    return "\n".join(out) + "\n"


def main():
    results, output = sys.argv[1:3]
    places, ages = load(results)
    cpu = load_cpu(results)
    rows = rows_of(places, Costs())
    targets = targets_of(rows, cpu)
    memory = load_memory(results)
    text = text_of(rows, targets, cpu, memory, places, ages)
    with open(os.path.join(output, "report.txt"), "w") as file:
        file.write(text)
    with open(os.path.join(output, "report.json"), "w") as file:
        json.dump({"rows": rows, "targets": targets, "cpu": cpu, "memory": memory}, file, indent=1)
    plot.ratios(rows, targets, os.path.join(output, "ratios.svg"))
    plot.peer(rows, os.path.join(output, "peer.svg"))
    plot.causes(rows, CAUSES, os.path.join(output, "exits.svg"))
    sys.stdout.write(text)


if __name__ == "__main__":
    main()
