// SPDX-License-Identifier: GPL-2.0
/*
 * Network card (Virtual I/O Device 1.2, 5.1): one queue each way, no offloads.
 *
 * A frame goes through at once or stays where it is: in the cable, when the guest has no buffer
 * for it, or in the guest's queue, when the cable has no room. So nothing is ever lost for
 * want of speed, and nothing of the guest's is in use between two calls.
 */
#include <string.h>

#include "device/virtio_net.h"

#define F_MAC		5
#define F_STATUS	16
#define F_VERSION_1	32

#define RX		0
#define TX		1

#define CONFIG_SIZE	8
#define CFG_STATUS	6
#define STATUS_UP	1

/* struct virtio_net_hdr; the last field is not a legacy driver's. */
#define HEADER_SIZE	12
#define HEADER_LEGACY	10
#define HDR_BUFFERS	10

static struct virtio_net *to_card(struct virtio_device *v)
{
	return container_of(v, struct virtio_net, v);
}

static unsigned int header_size(const struct virtio_net *card)
{
	return virtio_has(&card->v, F_VERSION_1) ? HEADER_SIZE : HEADER_LEGACY;
}

static u32 net_config_read(struct virtio_device *v, u32 at, unsigned int size)
{
	const struct net *net = to_card(v)->net;
	u8 c[CONFIG_SIZE] = { 0 };

	memcpy(c, net->mac, NET_MAC);
	pci_put(c + CFG_STATUS, 2, net->up ? STATUS_UP : 0);
	return pci_get(c + at, size);
}

/* A frame into the chain. One that does not fit is lost, and the guest is given nothing. */
static void fill(struct virtio_net *card, const u8 *frame, size_t size)
{
	u8 header[HEADER_SIZE] = { [HDR_BUFFERS] = 1 };
	struct virtqueue *vq = &card->v.vq[RX];
	struct net_stats *stats = &card->net->stats;
	unsigned int n = header_size(card);

	if (card->chain.in < n + size) {
		stats->rx_dropped++;
		virtqueue_push(vq, card->chain.head, 0);
		return;
	}
	virtqueue_copy_in(vq, &card->chain, 0, header, n);
	virtqueue_copy_in(vq, &card->chain, n, frame, size);
	virtqueue_push(vq, card->chain.head, n + size);
	stats->rx_packets++;
	stats->rx_bytes += size;
}

/* After a round others get their turn: whoever sends may never stop. */
static bool round_is_over(struct virtio_net *card, unsigned int n)
{
	if (n < VIRTQUEUE_ROUND)
		return false;
	card->again = card->v.host->now(card->v.host);
	return true;
}

static void receive(struct virtio_net *card)
{
	struct virtqueue *vq = &card->v.vq[RX];
	struct net *net = card->net;
	unsigned int n = 0;
	const u8 *frame;
	size_t size;

	while (!vq->failed && vq->s.enabled && (frame = net->peek(net, &size))) {
		if (round_is_over(card, n++))
			break;
		if (!virtqueue_pop(vq, &card->chain)) {
			if (!virtqueue_listen(vq))
				break;
			continue;
		}
		fill(card, frame, size);
		net->take(net);
	}
}

static void send(struct virtio_net *card)
{
	struct net *net = card->net;
	unsigned int header = header_size(card);
	u64 size = card->chain.out - header;

	if (card->chain.out < header + NET_FRAME_MIN || size > NET_FRAME_MAX || !net->up) {
		net->stats.tx_dropped++;
		return;
	}
	virtqueue_copy_out(&card->chain, header, card->frame, size);
	net->send(net, card->frame, size);
	net->stats.tx_packets++;
	net->stats.tx_bytes += size;
}

static void transmit(struct virtio_net *card)
{
	struct virtqueue *vq = &card->v.vq[TX];
	struct net *net = card->net;
	unsigned int n = 0;

	/* Without a cable frames are lost, they do not wait. */
	while (!vq->failed && vq->s.enabled && (!net->up || net->ready(net))) {
		if (round_is_over(card, n++))
			break;
		if (!virtqueue_pop(vq, &card->chain)) {
			if (!virtqueue_listen(vq))
				break;
			continue;
		}
		send(card);
		virtqueue_push(vq, card->chain.head, 0);
	}
	if (n)
		net->flush(net);
}

/* All that can be done now. */
static void work(struct virtio_net *card)
{
	struct virtio_device *v = &card->v;
	unsigned int i;

	card->again = 0;
	receive(card);
	transmit(card);
	for (i = RX; i <= TX; i++)
		if (v->vq[i].failed)
			virtio_fail(v, v->vq[i].failed);
	if (card->was_up != card->net->up) {
		card->was_up = card->net->up;
		virtio_config_changed(v);
	}
}

static void net_notify(struct virtio_device *v, unsigned int queue)
{
	(void)queue;
	work(to_card(v));
}

static void on_event(struct net *net)
{
	struct virtio_net *card = net->card;

	if (virtio_ready(&card->v))
		work(card);
}

static void net_reset(struct virtio_device *v)
{
	struct virtio_net *card = to_card(v);

	card->again = 0;
	card->was_up = card->net->up;
}

static u64 net_deadline(struct virtio_device *v)
{
	return to_card(v)->again;
}

static void net_tick(struct virtio_device *v)
{
	if (to_card(v)->again && virtio_ready(v))
		work(to_card(v));
}

static const struct virtio_ops net_ops = {
	.name = "network card",
	.id = VIRTIO_ID_NET,
	.class = 0x0200,
	.features = VIRTIO_F(F_MAC) | VIRTIO_F(F_STATUS),
	.n_queues = 2,
	.config_size = CONFIG_SIZE,
	.config_read = net_config_read,
	.notify = net_notify,
	.reset = net_reset,
	.deadline = net_deadline,
	.tick = net_tick,
};

/**
 * virtio_net_init() - make a network card, not plugged yet
 * @card: to initialize
 * @host: the machine
 * @net: its cable
 */
void virtio_net_init(struct virtio_net *card, struct device_host *host, struct net *net)
{
	memset(card, 0, sizeof(*card));
	card->net = net;
	card->was_up = net->up;
	net->card = card;
	net->event = on_event;
	virtio_init(&card->v, &net_ops, host, 0);
}
