/* What the server says: one parser for each protocol.

   Each handles the complete lines in [p, end) and returns the start of the
   incomplete rest. */
#pragma once

static void on_list(struct client *c, uint64_t now)
{
    notices++;
    if (!c->listed && !c->churner) {
        c->listed = true;
        listed_count++;
        all_listed_at = now;
    }
    if (opt.ready_on_list)
        on_registered(c, now);
}

static bool starts(const char *p, const char *end, const char *word)
{
    size_t n = strlen(word);
    return (size_t)(end - p) >= n && !memcmp(p, word, n);
}

static char *parse_plain(struct client *c, char *p, char *end, uint64_t now)
{
    char *nl;
    if (c->skip_line) {
        nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl)
            return end;
        c->skip_line = false;
        on_list(c, now);
        p = nl + 1;
    }
    while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
        if (starts(p, nl, "MSG: ")) {
            char *text = memchr(p + 5, ':', (size_t)(nl - p - 5));
            if (text && nl - text >= 2 && text[1] == ' ') {
                on_message(c, text + 2, (size_t)(nl - text - 2), now);
                if (c->state == REGISTERING && !opt.ready_on_list)
                    on_registered(c, now);
            } else {
                note_error(p, (size_t)(nl - p));
            }
        } else if (starts(p, nl, "LIST:")) {
            on_list(c, now);
        } else {
            note_error(p, (size_t)(nl - p));
        }
        p = nl + 1;
    }
    if (end - p > LONG_LINE && starts(p, end, "LIST:")) {
        c->skip_line = true; /* a long user list: do not store it */
        return end;
    }
    return p;
}

/* The number after `key` in a JSON object, 0 if there is none. */
static uint64_t json_number(const char *p, const char *end, const char *key)
{
    const char *found = memmem(p, (size_t)(end - p), key, strlen(key));
    uint64_t v = 0;
    if (found)
        for (found += strlen(key); found < end && *found >= '0' && *found <= '9'; found++)
            v = v * 10 + (uint64_t)(*found - '0');
    return v;
}

/* The string after `key`: none of ours holds an escape.  NULL if there is none. */
static const char *json_text(const char *p, const char *end, const char *key, size_t *len)
{
    const char *found = memmem(p, (size_t)(end - p), key, strlen(key));
    if (!found)
        return NULL;
    found += strlen(key);
    const char *quote = memchr(found, '"', (size_t)(end - found));
    *len = quote ? (size_t)(quote - found) : 0;
    return quote ? found : NULL;
}

static void json_line(struct client *c, const char *p, const char *end, uint64_t now)
{
    const char *text;
    size_t len;
    if (starts(p, end, "MSG: ")) {
        uint64_t id = json_number(p, end, "\"id\":");
        if (id <= c->last_id) /* to each account, in the order of ids */
            out_of_order++;
        c->last_id = id;
        text = json_text(p, end, "\"text\":\"", &len);
        if (text)
            on_message(c, text, len, now);
        else
            note_error(p, (size_t)(end - p));
    } else if (starts(p, end, "ACK: ")) {
        text = json_text(p, end, "\"cid\":\"", &len);
        if (text && len == CID_LEN)
            on_ack(c, text, now);
        else
            note_error(p, (size_t)(end - p));
    } else if (starts(p, end, "RECEIPT: ")) {
        receipts++;
    } else if (starts(p, end, "JOINED: ") || starts(p, end, "LEFT: ")) {
        notices++;
    } else if (starts(p, end, "WELCOME: ")) {
        c->welcomed = true;
    } else if (starts(p, end, "SYNCED: ") && c->welcomed) {
        on_registered(c, now);
    } else if (starts(p, end, "PING: ")) {
        write_text(c, "PONG: %.*s\n", (int)(end - p - 6), p + 6);
    } else {
        note_error(p, (size_t)(end - p));
    }
}

/* Confirm in bulk what has come, as a client does that has kept it. */
static void send_got(struct client *c, uint64_t now)
{
    if (c->last_id == c->got_id || now - c->got_at < ns(opt.got_every))
        return;
    c->got_id = c->last_id;
    c->got_at = now;
    write_text(c, "GOT: {\"id\":%" PRIu64 "}\n", c->last_id);
}

static char *parse_json(struct client *c, char *p, char *end, uint64_t now)
{
    char *nl;
    if (c->skip_line) {
        nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl)
            return end;
        c->skip_line = false;
        c->welcomed = true;
        p = nl + 1;
    }
    while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
        json_line(c, p, nl, now);
        p = nl + 1;
    }
    if (end - p > LONG_LINE && starts(p, end, "WELCOME:")) {
        c->skip_line = true; /* who is online: do not store it */
        return end;
    }
    send_got(c, now);
    return p;
}

static void irc_line(struct client *c, char *p, char *end, uint64_t now)
{
    char *line = p;
    if (p < end && *p == ':') { /* skip the source */
        p = memchr(p, ' ', (size_t)(end - p));
        if (!p)
            return;
        p++;
    }
    if (starts(p, end, "PRIVMSG ")) {
        char *text = memchr(p + 8, ' ', (size_t)(end - p - 8));
        if (!text)
            return;
        text += text + 1 < end && text[1] == ':' ? 2 : 1;
        on_message(c, text, (size_t)(end - text), now);
    } else if (starts(p, end, "PING ")) {
        write_text(c, "PONG %.*s\r\n", (int)(end - p - 5), p + 5);
    } else if (starts(p, end, "JOIN ") || starts(p, end, "QUIT") || starts(p, end, "PART ")) {
        notices++;
    } else if (end - p > 3 && p[0] >= '0' && p[0] <= '9' && p[3] == ' ') {
        int code = (p[0] - '0') * 100 + (p[1] - '0') * 10 + (p[2] - '0');
        if (code == 376 || code == 422)
            on_registered(c, now);
        else if (code == 366 && c->state == JOINING)
            become_ready(c, now);
        else if (code >= 400)
            note_error(line, (size_t)(end - line));
    } else if (starts(p, end, "ERROR") && c->state != LEAVING) {
        note_error(line, (size_t)(end - line));
    }
}

static char *parse_irc(struct client *c, char *p, char *end, uint64_t now)
{
    char *nl;
    while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
        irc_line(c, p, nl > p && nl[-1] == '\r' ? nl - 1 : nl, now);
        p = nl + 1;
    }
    return p;
}

static char *parse_nats(struct client *c, char *p, char *end, uint64_t now)
{
    char *nl;
    while ((nl = memchr(p, '\n', (size_t)(end - p)))) {
        if (starts(p, nl, "MSG ")) {
            /* MSG <subject> <sid> <length>, then the payload and CR LF */
            size_t len = 0, scale = 1;
            for (char *d = nl - 2; d > p && *d >= '0' && *d <= '9'; d--, scale *= 10)
                len += (size_t)(*d - '0') * scale;
            if ((size_t)(end - nl - 1) < len + 2)
                return p;
            on_message(c, nl + 1, len, now);
            p = nl + 1 + len + 2;
            continue;
        }
        if (starts(p, nl, "PING"))
            write_out(c, "PONG\r\n", 6);
        else if (starts(p, nl, "PONG"))
            on_registered(c, now);
        else if (starts(p, nl, "-ERR"))
            note_error(p, (size_t)(nl - p));
        p = nl + 1; /* INFO and +OK need no answer */
    }
    return p;
}

static void on_readable(struct client *c)
{
    if (c->in_len)
        memcpy(rx, c->in, c->in_len);
    ssize_t n = recv(c->fd, rx + c->in_len, RX_SIZE - c->in_len, 0);
    if (n <= 0) {
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            close_client(c);
        return;
    }
    uint64_t now = now_ns();
    char *end = rx + c->in_len + n, *rest;
    last_receive = now;
    bytes_in += (uint64_t)n;
    if (!c->churner)
        resident_bytes_in += (uint64_t)n;

    if (opt.protocol == PLAIN)
        rest = parse_plain(c, rx, end, now);
    else if (opt.protocol == JSON)
        rest = parse_json(c, rx, end, now);
    else if (opt.protocol == IRC)
        rest = parse_irc(c, rx, end, now);
    else
        rest = parse_nats(c, rx, end, now);

    c->in_len = (size_t)(end - rest);
    if (c->in_len) {
        if (c->in_len > RX_SIZE / 2)
            die("line too long");
        if (c->in_len > c->in_cap) {
            c->in_cap = c->in_len + 256;
            c->in = xrealloc(c->in, c->in_cap);
        }
        memcpy(c->in, rest, c->in_len);
    }
}
