/*
 * chatload - load generator for chat and message servers
 *
 * One thread, epoll, non-blocking sockets.  It speaks four protocols:
 *
 *   plain  Twocans for people: first line "name\n", then "MSG: to: text\n";
 *          receives "MSG: from: text\n" and "LIST: a, b\n"
 *   json   Twocans for programs: HELLO, MSG with a cid, GOT in bulk, PONG;
 *          receives WELCOME, SYNCED, MSG, ACK, RECEIPT, JOINED, LEFT, PING
 *   irc    RFC 1459/2812 client: NICK, USER, PRIVMSG, JOIN, PONG, QUIT
 *   nats   NATS text protocol: CONNECT, SUB, PUB, PONG
 *
 * and four workloads:
 *
 *   pairs   clients 2k and 2k+1 write to each other.  Closed loop: each keeps
 *           --window messages outstanding (a message is complete when the peer
 *           has received it or, with --ack, when its ACK has come back).
 *           Open loop (--rate R): R messages/s in all, sent on a fixed schedule
 *           whatever the server does; latency counts from the scheduled time,
 *           so a stalled server is not forgiven (no coordinated omission).
 *   mesh    as pairs, but every message goes to another client drawn at
 *           random: reads and writes hold messages of many conversations, so
 *           a server gains less from handling them in batches.
 *   idle    N clients connect, register and stay silent.
 *   churn   N clients stay (IRC: all in one channel) while --concurrency
 *           others connect, register, (join,) disconnect, over and over.
 *
 * Each message carries its send time, its sender and a sequence number, so the
 * latency is one-way (both ends share one clock); reordering and loss within a
 * pair are detected, and in the json protocol ids that do not grow.
 *
 * Build:  cc -O2 -Wall -Wextra -o chatload chatload.c
 * Usage:  chatload --port 5050 --protocol json --workload pairs --clients 100 \
 *                  --window 32 --seconds 5 --server-pid 1234 --json
 *
 * The result is meaningful only while the server, not this program, is the
 * bottleneck: check that "generator_cpu_percent" stays below 100.  In open
 * loop the program polls without sleeping to keep to its schedule; there
 * "generator_cpu_percent" counts the time in which it had work, and
 * "schedule_lag_us_p99" shows how late messages left.
 *
 * The parts are included, not linked: the compiler sees all of them at once.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "basics.h"
#include "measure.h"
#include "clients.h"
#include "messages.h"
#include "life.h"
#include "dialects.h"
#include "loop.h"

static bool first_field = true;

static void field(const char *key, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    printf(opt.json ? (first_field ? "{\"%s\": " : ", \"%s\": ") : "%s: ", key);
    vprintf(fmt, ap);
    if (!opt.json)
        putchar('\n');
    first_field = false;
    va_end(ap);
}

static void field_text(const char *key, const char *text)
{
    field(key, opt.json ? "\"%s\"" : "%s", text);
}

static void field_latency(const char *prefix, const struct histogram *h)
{
    static const struct { const char *name; double q; } rows[] = {
        {"p50", .5}, {"p90", .9}, {"p99", .99}, {"p999", .999}, {"max", 1},
    };
    char key[64];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && h->total; i++) {
        snprintf(key, sizeof key, "%s_us_%s", prefix, rows[i].name);
        field(key, "%.1f", rows[i].q == 1 ? (double)h->max / 1000 : histogram_us(h, rows[i].q));
    }
}

static int choice(const char *value, const char *const *names, const char *what)
{
    for (int i = 0; names[i]; i++)
        if (!strcmp(value, names[i]))
            return i;
    die("unknown %s '%s'", what, value);
    return 0;
}

static const char usage[] =
    "usage: chatload --port PORT [options]\n"
    "  --host ADDRESS         IPv4 address of the server (127.0.0.1)\n"
    "  --protocol NAME        plain, json, irc or nats (plain)\n"
    "  --workload NAME        pairs, mesh, idle or churn (pairs)\n"
    "  --clients N            clients, or residents for churn (100)\n"
    "  --window W             messages outstanding per sender (1)\n"
    "  --rate R               open loop: R messages/s in all (pairs, mesh)\n"
    "  --payload BYTES        size of a message text, at least 16 (64)\n"
    "  --seconds S            measured time (5)\n"
    "  --warmup S             time under load before measuring (1)\n"
    "  --settle S             least quiet time after connecting (1)\n"
    "  --concurrency N        churn: clients coming and going (8)\n"
    "  --connect-batch N      registrations in flight while connecting (64)\n"
    "  --connect-timeout S    give up if not all are registered (25)\n"
    "  --sources N            source addresses from 127.0.0.1 on (automatic)\n"
    "  --server-pid PID       report CPU time and memory of this process\n"
    "  --ack                  json: complete when ACK arrives, not on delivery\n"
    "  --ready list|echo      plain: registered when LIST arrives, or when a\n"
    "                         message to oneself comes back (echo)\n"
    "  --got-every S          json: least time between two GOT of a client (1)\n"
    "  --json                 print one JSON object\n";

static void parse_options(int argc, char **argv)
{
    enum { HOST = 1, PORT, PROTO, LOAD, CLIENTS, WINDOW, RATE, PAYLOAD, SECONDS, WARMUP,
           SETTLE, CONC, BATCH, TIMEOUT, SOURCES, PID, ACK, READY_ON, GOT_EVERY, AS_JSON, HELP };
    static const struct option longopts[] = {
        {"host", 1, 0, HOST}, {"port", 1, 0, PORT}, {"protocol", 1, 0, PROTO},
        {"workload", 1, 0, LOAD}, {"clients", 1, 0, CLIENTS}, {"window", 1, 0, WINDOW},
        {"rate", 1, 0, RATE}, {"payload", 1, 0, PAYLOAD}, {"seconds", 1, 0, SECONDS},
        {"warmup", 1, 0, WARMUP}, {"settle", 1, 0, SETTLE}, {"concurrency", 1, 0, CONC},
        {"connect-batch", 1, 0, BATCH}, {"connect-timeout", 1, 0, TIMEOUT},
        {"sources", 1, 0, SOURCES}, {"server-pid", 1, 0, PID}, {"ack", 0, 0, ACK},
        {"ready", 1, 0, READY_ON}, {"got-every", 1, 0, GOT_EVERY}, {"json", 0, 0, AS_JSON},
        {"help", 0, 0, HELP}, {0, 0, 0, 0},
    };
    static const char *const ready_names[] = {"echo", "list", NULL};
    int o;
    while ((o = getopt_long(argc, argv, "", longopts, NULL)) != -1) {
        switch (o) {
        case HOST: opt.host = optarg; break;
        case PORT: opt.port = atoi(optarg); break;
        case PROTO: opt.protocol = choice(optarg, protocol_names, "protocol"); break;
        case LOAD: opt.workload = choice(optarg, workload_names, "workload"); break;
        case CLIENTS: opt.clients = atoi(optarg); break;
        case WINDOW: opt.window = atoi(optarg); break;
        case RATE: opt.rate = atof(optarg); break;
        case PAYLOAD: opt.payload = atoi(optarg); break;
        case SECONDS: opt.seconds = atof(optarg); break;
        case WARMUP: opt.warmup = atof(optarg); break;
        case SETTLE: opt.settle = atof(optarg); break;
        case CONC: opt.concurrency = atoi(optarg); break;
        case BATCH: opt.connect_batch = atoi(optarg); break;
        case TIMEOUT: opt.connect_timeout = atof(optarg); break;
        case SOURCES: opt.sources = atoi(optarg); break;
        case PID: opt.server_pid = atoi(optarg); break;
        case ACK: opt.ack = true; break;
        case READY_ON: opt.ready_on_list = choice(optarg, ready_names, "ready"); break;
        case GOT_EVERY: opt.got_every = atof(optarg); break;
        case AS_JSON: opt.json = true; break;
        case HELP: fputs(usage, stdout); exit(0);
        default: fputs(usage, stderr); exit(2);
        }
    }
    if (optind < argc || opt.port <= 0) {
        fputs(usage, stderr);
        exit(2);
    }
    if (opt.clients < 1 || opt.window < 1 || opt.concurrency < 1 || opt.connect_batch < 1)
        die("counts must be positive");
    bool exchange = opt.workload == PAIRS || opt.workload == MESH;
    if (exchange && (opt.clients < 2 || (opt.workload == PAIRS && opt.clients % 2)))
        die("pairs needs an even number of clients, mesh at least two");
    if (opt.payload < MIN_PAYLOAD || opt.payload > 65536)
        die("payload must be between %d and 65536 bytes", MIN_PAYLOAD);
    if (opt.seconds + opt.warmup + opt.settle + opt.connect_timeout > 3600)
        die("an hour is the longest run: the time stamps in the messages are short");
    if (opt.rate > 0 && !exchange)
        die("--rate goes with pairs and mesh only");
    if (opt.ack && (opt.protocol != JSON || !exchange))
        die("--ack goes with the json protocol, pairs and mesh only");
    if (opt.sources <= 0) /* ports are plentiful: about 28,000 per address */
        opt.sources = opt.workload == CHURN ? 16 : 1 + opt.clients / 8000;
    if (strncmp(opt.host, "127.", 4))
        opt.sources = 1;
}

static void create_clients(void)
{
    uint32_t extra = opt.workload == CHURN ? (uint32_t)opt.concurrency : 0;
    resident_count = (uint32_t)opt.clients;
    client_count = resident_count + extra;
    clients = calloc(client_count, sizeof *clients);
    credited = calloc(client_count, sizeof *credited);
    if (!clients || !credited)
        die("out of memory");
    for (uint32_t i = 0; i < client_count; i++) {
        struct client *c = &clients[i];
        c->fd = -1;
        c->peer = i ^ 1;
        c->churner = opt.workload == CHURN && i >= resident_count;
        if (c->churner)
            snprintf(c->name, sizeof c->name, "c%u", name_turn++);
        else
            snprintf(c->name, sizeof c->name, "u%u", i);
    }
    for (uint32_t i = 0; i < client_count; i++)
        make_message(&clients[i]);
}

int main(int argc, char **argv)
{
    struct rlimit limit;

    parse_options(argc, argv);
    started_ns = now_ns() - 1; /* so that no time is 0 */
    init_digits();
    init_cids();
    signal(SIGPIPE, SIG_IGN);
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    server_address.sin_family = AF_INET;
    server_address.sin_port = htons((uint16_t)opt.port);
    if (inet_pton(AF_INET, opt.host, &server_address.sin_addr) != 1)
        die("'%s' is not an IPv4 address", opt.host);
    epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    create_clients();

    /* Connect. */
    long rss_before = server_memory_kib("VmRSS:");
    double cpu_before = server_cpu_seconds();
    uint64_t begin = connect_residents(resident_count);
    settle();
    double connect_cpu = server_cpu_seconds() - cpu_before;
    long rss_connected = server_memory_kib("VmRSS:");

    /* Warm up, then measure. */
    sending = opt.workload != IDLE;
    schedule_start = now_ns();
    if (opt.workload == PAIRS || opt.workload == MESH)
        for (uint32_t i = 0; i < client_count; i++)
            refill(&clients[i]);
    else if (opt.workload == CHURN)
        for (uint32_t i = resident_count; i < client_count; i++)
            start_connect(&clients[i]);
    if (sending)
        run_until(now_ns() + ns(opt.warmup));

    double server_cpu = server_cpu_seconds(), own_cpu = own_cpu_seconds();
    uint64_t joins_before = joins, notices_before = notices, receipts_before = receipts;
    uint64_t bytes_before = bytes_in, resident_bytes_before = resident_bytes_in;
    window_start = now_ns();
    window_end = window_start + ns(opt.seconds);
    measuring = true;
    run_until(window_end);
    measuring = false;
    double wall = (double)(now_ns() - window_start) / 1e9;
    server_cpu = server_cpu_seconds() - server_cpu;
    own_cpu = own_cpu_seconds() - own_cpu;
    joins -= joins_before;
    notices -= notices_before;
    receipts -= receipts_before;
    uint64_t bytes_received = bytes_in - bytes_before;
    uint64_t resident_bytes = resident_bytes_in - resident_bytes_before;
    uint64_t due = lag.total;
    long rss_after = server_memory_kib("VmRSS:");

    /* Stop sending; open loop: give late messages two seconds to arrive. */
    sending = false;
    if (opt.rate > 0) {
        uint64_t deadline = now_ns() + ns(2);
        while ((latency.total < due || (opt.ack && ack_latency.total < due))
               && now_ns() < deadline)
            poll_events(10);
    }
    draining = true;

    /* Report. */
    uint64_t units = opt.workload == CHURN ? joins
                   : opt.ack ? acked_in_window : delivered_in_window;
    field_text("protocol", protocol_names[opt.protocol]);
    field_text("workload", workload_names[opt.workload]);
    field("clients", "%d", opt.clients);
    if (opt.rate > 0)
        field("rate_asked", "%.0f", opt.rate);
    else if (opt.workload != IDLE && opt.workload != CHURN)
        field("window", "%d", opt.window);
    field("payload", "%d", opt.payload);
    field("seconds", "%.3f", wall);
    if (opt.workload != IDLE && opt.workload != CHURN)
        field("delivered_per_s", "%.0f", (double)delivered_in_window / wall);
    if (opt.ack)
        field("acked_per_s", "%.0f", (double)acked_in_window / wall);
    if (opt.workload == CHURN) {
        field("joins_per_s", "%.1f", (double)joins / wall);
        field("notices_per_s", "%.0f", (double)notices / wall);
        field("resident_bytes_per_s", "%.0f", (double)resident_bytes / wall);
    }
    if (opt.protocol == JSON)
        field("receipts_per_s", "%.0f", (double)receipts / wall);
    field_latency(opt.workload == CHURN ? "join" : "latency", &latency);
    field_latency("ack", &ack_latency);
    field_latency("schedule_lag", &lag);
    if (opt.rate > 0)
        field("undelivered", "%" PRIu64, due > latency.total ? due - latency.total : 0);
    field("connect_s", "%.3f", (double)(all_ready_at - begin) / 1e9);
    if (opt.protocol == PLAIN) {
        field("listed_s", "%.3f", all_listed_at ? (double)(all_listed_at - begin) / 1e9 : 0.0);
        field("listed_clients", "%u", listed_count);
    }
    field("bytes_received", "%" PRIu64, bytes_received);
    if (opt.server_pid) {
        field("connect_server_cpu_s", "%.2f", connect_cpu);
        field("server_cpu_percent", "%.1f", server_cpu / wall * 100);
        if (units)
            field("server_cpu_us_per_unit", "%.3f", server_cpu * 1e6 / (double)units);
        field("server_rss_before_kib", "%ld", rss_before);
        field("server_rss_connected_kib", "%ld", rss_connected);
        field("server_rss_after_kib", "%ld", rss_after);
        field("server_rss_peak_kib", "%ld", server_memory_kib("VmHWM:"));
        /* Idle: some servers go on allocating after the registration. */
        field("server_bytes_per_connection", "%.0f",
              (double)((opt.workload == IDLE ? rss_after : rss_connected) - rss_before)
              * 1024 / (double)resident_count);
    }
    field("generator_cpu_percent", "%.1f",
          opt.rate > 0 ? 100 - (double)idle_ns / 1e7 / wall : own_cpu / wall * 100);
    field("errors", "%" PRIu64, errors);
    field("out_of_order", "%" PRIu64, out_of_order);
    field("disconnects", "%" PRIu64, disconnects);
    if (first_error[0])
        field_text("first_error", first_error);
    if (opt.json)
        puts("}");

    for (uint32_t i = 0; i < client_count; i++)
        if (clients[i].state != CLOSED)
            close(clients[i].fd);
    return errors || disconnects || out_of_order ? 3 : 0;
}
