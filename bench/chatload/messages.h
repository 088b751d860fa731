/* What the clients say to one another: making, sending and completing messages. */
#pragma once

#define CID_LEN 36

/* The cid of a message has the shape of a random UUID.  Its first 12 digits
   hold the message's number, scattered over all values so that an index over
   cids meets them in no order, as it does those of real clients. */
#define SCATTER 0x5851f42d4c95u /* odd, so it can be undone */
#define MASK48 ((1ull << 48) - 1)
static uint64_t gather;       /* SCATTER * gather is 1, modulo 2^48 */
static char cid_end[CID_LEN]; /* the rest of all cids: differs from run to run */

static void init_cids(void)
{
    uint64_t run = (uint64_t)time(NULL) << 22 ^ (uint64_t)getpid();
    gather = SCATTER; /* Newton's iteration: each round doubles the right bits */
    for (int i = 0; i < 5; i++)
        gather *= 2 - SCATTER * gather;
    memcpy(cid_end, "00000000-0000-4000-8000-000000000000", CID_LEN);
    put_hex(cid_end + 24, run & MASK48, 12);
}

static void put_cid(char *p, uint32_t seq)
{
    uint64_t v = seq * SCATTER & MASK48;
    memcpy(p, cid_end, CID_LEN);
    put_hex(p, v >> 16, 8);
    put_hex(p + 9, v & 0xffff, 4);
}

static bool get_cid(const char *p, uint32_t *seq)
{
    uint64_t high, low;
    if (!get_hex(p, 8, &high) || !get_hex(p + 9, 4, &low)
        || memcmp(p + 13, cid_end + 13, CID_LEN - 13))
        return false;
    uint64_t v = (high << 16 | low) * gather & MASK48;
    *seq = (uint32_t)v;
    return v >> 32 == 0;
}

/* Prepare the message that goes to this client. */
static void make_message(struct client *c)
{
    char head[128], tail[64];
    int n, m;
    if (opt.protocol == PLAIN) {
        n = snprintf(head, sizeof head, "MSG: %s: ", c->name);
        m = snprintf(tail, sizeof tail, "\n");
    } else if (opt.protocol == JSON) {
        n = snprintf(head, sizeof head, "MSG: {\"to\":\"%s\",\"text\":\"", c->name);
        m = snprintf(tail, sizeof tail, "\",\"cid\":\"%.*s\"}\n", CID_LEN, cid_end);
    } else if (opt.protocol == IRC) {
        n = snprintf(head, sizeof head, "PRIVMSG %s :", c->name);
        m = snprintf(tail, sizeof tail, "\r\n");
    } else {
        n = snprintf(head, sizeof head, "PUB u.%s %d\r\n", c->name, opt.payload);
        m = snprintf(tail, sizeof tail, "\r\n");
    }
    c->payload_at = (uint32_t)n;
    c->message_len = (uint32_t)(n + opt.payload + m);
    c->cid_at = c->message_len - CID_LEN - 3;
    c->message = xrealloc(NULL, c->message_len);
    memcpy(c->message, head, (size_t)n);
    memset(c->message + n, 'x', (size_t)opt.payload);
    memcpy(c->message + n + opt.payload, tail, (size_t)m);
}

static void remember_sent(struct client *c, uint32_t seq, uint64_t when)
{
    if (seq - c->acked_to >= c->sent_cap) { /* full: double, and place anew */
        uint32_t cap = c->sent_cap ? c->sent_cap * 2 : 16;
        uint64_t *ring = xrealloc(NULL, cap * sizeof *ring);
        for (uint32_t i = c->acked_to; i != seq; i++)
            ring[i & (cap - 1)] = c->sent_at[i & (c->sent_cap - 1)];
        free(c->sent_at);
        c->sent_at = ring, c->sent_cap = cap;
    }
    c->sent_at[seq & (c->sent_cap - 1)] = when;
}

/* When message `seq` was sent, or 0 if no acknowledgement of it is due. */
static uint64_t take_sent(struct client *c, uint32_t seq)
{
    if (seq - c->acked_to >= c->tx_seq - c->acked_to)
        return 0;
    uint64_t *slot = &c->sent_at[seq & (c->sent_cap - 1)], when = *slot;
    *slot = 0;
    while (c->acked_to != c->tx_seq && !c->sent_at[c->acked_to & (c->sent_cap - 1)])
        c->acked_to++;
    return when;
}

/* Whom the next message of this client goes to. */
static struct client *recipient(struct client *c)
{
    if (opt.workload == PAIRS)
        return &clients[c->peer];
    uint32_t i = random_below(client_count - 1); /* anyone but itself */
    return &clients[i < (uint32_t)(c - clients) ? i : i + 1];
}

/* Send `count` messages stamped `when`, in as few system calls as possible. */
static void send_messages(struct client *c, uint32_t count, uint64_t when)
{
    size_t len = 0;
    if (c->state != READY)
        return;
    c->outstanding += count;
    while (count--) {
        const struct client *to = recipient(c);
        if (len + to->message_len > TX_SIZE) {
            write_out(c, tx, len);
            len = 0;
        }
        char *payload = tx + len + to->payload_at;
        memcpy(tx + len, to->message, to->message_len);
        put_digits(payload, when, STAMP_DIGITS);
        put_digits(payload + STAMP_DIGITS, c->tx_seq, SEQ_DIGITS);
        put_digits(payload + STAMP_DIGITS + SEQ_DIGITS, (uint64_t)(c - clients), SENDER_DIGITS);
        if (opt.protocol == JSON)
            put_cid(tx + len + to->cid_at, c->tx_seq);
        if (opt.ack)
            remember_sent(c, c->tx_seq, when);
        c->tx_seq++;
        len += to->message_len;
    }
    write_out(c, tx, len);
}

/* Closed loop: top the client up to its window. */
static void refill(struct client *c)
{
    if (sending && opt.rate == 0 && c->outstanding < (uint32_t)opt.window)
        send_messages(c, (uint32_t)opt.window - c->outstanding, now_ns());
}

static void add_credit(struct client *c)
{
    if (c->credit++ == 0)
        credited[credited_count++] = c;
}

/* Once per turn, let those whose messages have completed send the next ones:
   as many as possible in one system call each. */
static void spend_credits(void)
{
    for (uint32_t i = 0; i < credited_count; i++) {
        struct client *c = credited[i];
        c->outstanding -= c->credit < c->outstanding ? c->credit : c->outstanding;
        c->credit = 0;
        refill(c);
    }
    credited_count = 0;
}

static void on_message(struct client *c, const char *payload, size_t len, uint64_t now)
{
    uint64_t stamp, seq, from;
    if (len < MIN_PAYLOAD || !get_digits(payload, STAMP_DIGITS, &stamp)
        || !get_digits(payload + STAMP_DIGITS, SEQ_DIGITS, &seq)
        || !get_digits(payload + STAMP_DIGITS + SEQ_DIGITS, SENDER_DIGITS, &from)
        || from >= client_count) {
        if (len != sizeof PROBE - 1 || memcmp(payload, PROBE, len))
            note_error(payload, len);
        return;
    }
    if (len != (size_t)opt.payload)
        note_error("truncated payload", 17);
    if (opt.workload == PAIRS) { /* there is one sender only */
        if ((uint32_t)seq != c->rx_seq)
            out_of_order++;
        c->rx_seq = (uint32_t)seq + 1;
    }
    if (!opt.ack)
        add_credit(&clients[from]);
    if (now >= window_start && now < window_end)
        delivered_in_window++;
    /* Closed loop: count what arrives in the window.  Open loop: count what
       was due in the window, however late it arrives. */
    uint64_t key = opt.rate > 0 ? stamp : now;
    if (key >= window_start && key < window_end)
        histogram_add(&latency, now > stamp ? now - stamp : 0);
}

static void on_ack(struct client *c, const char *cid, uint64_t now)
{
    uint32_t seq;
    uint64_t when;
    if (!opt.ack)
        return;
    if (!get_cid(cid, &seq) || !(when = take_sent(c, seq))) {
        note_error("ACK of a message that was not sent", 34);
        return;
    }
    add_credit(c);
    if (now >= window_start && now < window_end)
        acked_in_window++;
    uint64_t key = opt.rate > 0 ? when : now;
    if (key >= window_start && key < window_end)
        histogram_add(&ack_latency, now - when);
}
