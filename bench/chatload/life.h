/* How a client comes, registers and goes. */
#pragma once

static void start_connect(struct client *c)
{
    int one = 1;
    struct sockaddr_in source = {.sin_family = AF_INET};
    uint32_t turn = source_turn++ % (uint32_t)opt.sources;

    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (c->fd < 0)
        die("socket: %s (raise ulimit -n?)", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (opt.sources > 1) { /* several source addresses: more local ports */
        setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
        source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + turn);
        if (bind(c->fd, (struct sockaddr *)&source, sizeof source))
            die("bind: %s", strerror(errno));
    }
    c->started = now_ns();
    if (connect(c->fd, (struct sockaddr *)&server_address, sizeof server_address)
        && errno != EINPROGRESS)
        die("connect: %s", strerror(errno));
    c->state = CONNECTING;
    c->in_len = c->out_len = c->out_off = 0;
    c->skip_line = c->listed = c->welcomed = false;
    c->outstanding = c->tx_seq = c->rx_seq = c->acked_to = 0;
    registering_count++;
    arm(c, EPOLL_CTL_ADD, true);
}

static void close_client(struct client *c)
{
    if (c->state == CLOSED)
        return;
    if (c->state == CONNECTING || c->state == REGISTERING || c->state == JOINING)
        registering_count--;
    if (c->state == READY && !c->churner)
        ready_count--;
    if (c->state != LEAVING && !draining)
        disconnects++;
    close(c->fd);
    c->state = CLOSED;
    c->in_len = c->out_len = c->out_off = 0;
    if (c->churner && sending) {
        snprintf(c->name, sizeof c->name, "c%u", name_turn++);
        start_connect(c);
    }
}

static void on_connected(struct client *c)
{
    int err = 0;
    socklen_t len = sizeof err;
    getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len);
    if (err) {
        note_error(strerror(err), strlen(strerror(err)));
        close_client(c);
        return;
    }
    c->state = REGISTERING;
    arm(c, EPOLL_CTL_MOD, false);
    if (opt.protocol == PLAIN && opt.ready_on_list)
        write_text(c, "%s\n", c->name);
    else if (opt.protocol == PLAIN) /* the echo shows that the name is known */
        write_text(c, "%s\nMSG: %s: " PROBE "\n", c->name, c->name);
    else if (opt.protocol == JSON)
        write_text(c, "HELLO: {\"user\":\"%s\",\"agent\":\"chatload\"}\n", c->name);
    else if (opt.protocol == IRC)
        write_text(c, "NICK %s\r\nUSER %s 0 * :%s\r\n", c->name, c->name, c->name);
    else
        write_text(c, "CONNECT {\"verbose\":false,\"pedantic\":false,\"lang\":\"c\","
                      "\"version\":\"1\",\"protocol\":0}\r\nSUB u.%s 1\r\nPING\r\n",
                   c->name);
}

static void become_ready(struct client *c, uint64_t now)
{
    c->state = READY;
    registering_count--;
    if (!c->churner) {
        ready_count++;
        all_ready_at = now;
        return;
    }
    joins++;
    if (measuring)
        histogram_add(&latency, now - c->started);
    c->state = LEAVING; /* churn: leave at once and come back */
    if (opt.protocol == IRC)
        write_text(c, "QUIT :bye\r\n");
    else
        shutdown(c->fd, SHUT_WR);
}

static void on_registered(struct client *c, uint64_t now)
{
    if (c->state != REGISTERING)
        return;
    if (opt.protocol == IRC && opt.workload == CHURN) {
        c->state = JOINING;
        write_text(c, "JOIN " CHANNEL "\r\n");
    } else {
        become_ready(c, now);
    }
}
