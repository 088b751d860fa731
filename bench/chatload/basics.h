/* Options, time, memory, and the digits in which numbers travel in a message. */
#pragma once

enum protocol { PLAIN, JSON, IRC, NATS };
enum workload { PAIRS, MESH, IDLE, CHURN };

static struct {
    const char *host;
    int port;
    enum protocol protocol;
    enum workload workload;
    int clients;
    int window;
    int payload;
    double seconds, warmup, settle, connect_timeout;
    double rate;         /* messages/s in all; 0 means closed loop */
    int concurrency;     /* simultaneous churning clients */
    int connect_batch;   /* registrations in flight while connecting */
    int sources;         /* source addresses 127.0.0.1 ...; 0 means automatic */
    int server_pid;
    double got_every;    /* json: seconds between two GOT of a client */
    bool ack;            /* json: a message is complete when acknowledged */
    bool ready_on_list;  /* plain: registered when the first LIST arrives */
    bool json;
} opt = {
    .host = "127.0.0.1", .port = 0, .protocol = PLAIN, .workload = PAIRS,
    .clients = 100, .window = 1, .payload = 64, .seconds = 5, .warmup = 1,
    .settle = 1, .connect_timeout = 25, .concurrency = 8, .connect_batch = 64,
    .got_every = 1,
};

static const char *const protocol_names[] = {"plain", "json", "irc", "nats", NULL};
static const char *const workload_names[] = {"pairs", "mesh", "idle", "churn", NULL};

static void die(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    fputs("chatload: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
    va_end(ap);
    exit(1);
}

static void *xrealloc(void *p, size_t n)
{
    p = realloc(p, n);
    if (!p)
        die("out of memory");
    return p;
}

static uint64_t started_ns; /* all times count from the start of the program */

static uint64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec - started_ns;
}

static uint64_t ns(double seconds)
{
    return (uint64_t)(seconds * 1e9);
}

/* Numbers of a fixed width in base 64, in letters that no protocol minds. */

static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
static int8_t digit_value[256];

static void init_digits(void)
{
    memset(digit_value, -1, sizeof digit_value);
    for (int i = 0; i < 64; i++)
        digit_value[(unsigned char)digits[i]] = (int8_t)i;
}

static void put_digits(char *p, uint64_t v, int count)
{
    for (int i = count - 1; i >= 0; i--, v >>= 6)
        p[i] = digits[v & 63];
}

static bool get_digits(const char *p, int count, uint64_t *out)
{
    uint64_t v = 0;
    int bad = 0;
    for (int i = 0; i < count; i++) {
        int d = digit_value[(unsigned char)p[i]];
        bad |= d;
        v = v << 6 | (uint64_t)(d & 63);
    }
    *out = v;
    return bad >= 0;
}

/* The same in base 16, for ids that have the shape of a UUID. */

static void put_hex(char *p, uint64_t v, int count)
{
    for (int i = count - 1; i >= 0; i--, v >>= 4)
        p[i] = digits[v & 15];
}

static bool get_hex(const char *p, int count, uint64_t *out)
{
    uint64_t v = 0;
    for (int i = 0; i < count; i++) {
        int d = digit_value[(unsigned char)p[i]];
        if (d < 0 || d > 15)
            return false;
        v = v << 4 | (uint64_t)d;
    }
    *out = v;
    return true;
}

static uint64_t random_state = 88172645463325252u;

static uint32_t random_below(uint32_t n)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return (uint32_t)((random_state >> 32) * n >> 32);
}
