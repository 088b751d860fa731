/* The simulated clients, what is counted, and writing to their sockets. */
#pragma once

enum state {
    CLOSED,
    CONNECTING,  /* TCP handshake under way */
    REGISTERING, /* name sent, not yet confirmed */
    JOINING,     /* IRC: JOIN sent, end of NAMES not yet seen */
    READY,
    LEAVING,     /* churn: said goodbye, waiting for the server to close */
};

struct client {
    int fd;
    enum state state;
    bool want_write;  /* EPOLLOUT is armed */
    bool skip_line;   /* discarding the rest of a long list of users */
    bool listed;      /* plain: has seen a LIST line */
    bool welcomed;    /* json: has seen WELCOME */
    bool churner;
    uint32_t peer;    /* index of the client it exchanges messages with */
    uint32_t outstanding;
    uint32_t tx_seq, rx_seq;
    uint32_t credit;  /* messages completed in this turn of the event loop */
    uint64_t started; /* when connect() was called */
    char name[16];
    char *in;         /* incomplete input kept between reads */
    size_t in_len, in_cap;
    char *out;        /* output the socket did not take */
    size_t out_off, out_len, out_cap;
    char *message;    /* a complete message addressed to this client, the same
                         for all senders but for stamp, number, sender and cid */
    uint32_t message_len, payload_at, cid_at;
    uint64_t *sent_at; /* --ack: send times of the messages from acked_to on,
                          by number; 0 once acknowledged */
    uint32_t sent_cap, acked_to;
    uint64_t last_id, got_id; /* json: newest id seen, and confirmed by GOT */
    uint64_t got_at;
};

#define STAMP_DIGITS 7  /* nanoseconds: 73 minutes */
#define SEQ_DIGITS 5
#define SENDER_DIGITS 4
#define MIN_PAYLOAD (STAMP_DIGITS + SEQ_DIGITS + SENDER_DIGITS)
#define PROBE "?" /* text of the message a plain client sends to itself */
#define CHANNEL "#load"
#define LONG_LINE 4096 /* a longer list of users is not stored */

#define RX_SIZE (1u << 20)
#define TX_SIZE (1u << 18)
static char rx[RX_SIZE], tx[TX_SIZE];

static struct client *clients;
static uint32_t client_count;    /* all, the churning ones included */
static uint32_t resident_count;  /* those that stay connected */
static uint32_t ready_count, listed_count, registering_count;
static struct client **credited;  /* clients with credit, each once */
static uint32_t credited_count;
static int epoll_fd;
static struct sockaddr_in server_address;
static uint32_t source_turn, name_turn;

static bool measuring, sending, draining;
static uint64_t window_start, window_end;
static uint64_t all_ready_at, all_listed_at, last_receive;

static uint64_t delivered_in_window, acked_in_window;
static uint64_t joins, notices, receipts, bytes_in, resident_bytes_in;
static uint64_t errors, disconnects, out_of_order;
static char first_error[200];

static struct histogram latency;      /* message one-way, or join time */
static struct histogram ack_latency;  /* --ack: send to acknowledgement */
static struct histogram lag;          /* open loop: how late messages left */

static void note_error(const char *text, size_t len)
{
    errors++;
    if (!first_error[0]) {
        if (len >= sizeof first_error)
            len = sizeof first_error - 1;
        for (size_t i = 0; i < len; i++) {
            unsigned char ch = (unsigned char)text[i];
            first_error[i] = ch < 32 || ch > 126 || ch == '"' || ch == '\\' ? '.' : (char)ch;
        }
    }
}

static void arm(struct client *c, int op, bool want_write)
{
    struct epoll_event ev = {
        .events = want_write ? EPOLLIN | EPOLLOUT : EPOLLIN,
        .data.u32 = (uint32_t)(c - clients),
    };
    if (epoll_ctl(epoll_fd, op, c->fd, &ev))
        die("epoll_ctl: %s", strerror(errno));
    c->want_write = want_write;
}

/* Send now; keep what the socket does not take until it is writable again. */
static void write_out(struct client *c, const char *data, size_t len)
{
    if (c->out_len == 0) {
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL);
        if (n == (ssize_t)len)
            return;
        if (n > 0)
            data += n, len -= (size_t)n;
        else if (n < 0 && errno != EAGAIN && errno != EINTR)
            return; /* the read side will report the disconnection */
    }
    size_t end = c->out_off + c->out_len;
    if (end + len > c->out_cap) {
        memmove(c->out, c->out + c->out_off, c->out_len);
        c->out_off = 0;
        end = c->out_len;
        if (end + len > c->out_cap) {
            c->out_cap = (end + len) * 2;
            c->out = xrealloc(c->out, c->out_cap);
        }
    }
    memcpy(c->out + end, data, len);
    c->out_len += len;
    if (!c->want_write)
        arm(c, EPOLL_CTL_MOD, true);
}

static void write_text(struct client *c, const char *fmt, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    write_out(c, text, (size_t)n);
}

static void on_writable(struct client *c)
{
    if (c->out_len) {
        ssize_t n = send(c->fd, c->out + c->out_off, c->out_len, MSG_NOSIGNAL);
        if (n > 0) {
            c->out_off += (size_t)n;
            c->out_len -= (size_t)n;
        }
    }
    if (c->out_len == 0) {
        c->out_off = 0;
        arm(c, EPOLL_CTL_MOD, false);
    }
}
