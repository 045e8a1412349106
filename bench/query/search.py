#!/usr/bin/env python3
"""`chat.search` in a room of 100,000 messages: server CPU and latency per request, release binary.

    cargo build --release && bench/query/search.py [MESSAGES] [DATABASE_URL]

Imports the room of `run.py` into a store of its own (an empty PostgreSQL database, if a URL is given;
that needs psql), waits until the index of searches covers it, and asks each question over one connection.
"""
import os, shutil, sqlite3, subprocess, sys, tempfile, time, urllib.parse

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import run

BEHIND = "SELECT count(*) FROM rooms r LEFT JOIN searchable s ON s.room = r.id WHERE r.stored > 0 AND coalesce(s.until, -1) < (SELECT max(m.ts) FROM messages m WHERE m.room = r.id)"
QUESTIONS = [
    ("a rare word (1 of 1,000)", "needle"),
    ("a common word (1 of 2)", "review"),
    ("a common word, the last page", "review order:asc before:2026-09-22"),
    ("a phrase of common words", '"build is green"'),
    ("a phrase with a rare word", '"thanks needle"'),
    ("two words, any", "needle lunch"),
    ("a rare word of one person", "needle from:partner"),
    ("a common word of nobody", "review from:nobody"),
    ("an absent word", "zebra"),
    ("a word and without another", "needle -lunch"),
    ("an expression", "/needle$/"),
]


def ask(data, sql):
    if len(sys.argv) > 2:
        return int(subprocess.run(["psql", sys.argv[2], "-Atc", sql], check=True, capture_output=True, text=True).stdout)
    return sqlite3.connect(f"file:{data}/parlance.db?mode=ro", uri=True).execute(sql).fetchone()[0]


def covered(data, server, count):
    try:
        ask(data, "SELECT count(*) FROM searchable")
    except (sqlite3.OperationalError, subprocess.CalledProcessError):
        return  # a version without an index
    began, before = time.monotonic(), server.cpu()
    while ask(data, BEHIND):
        time.sleep(0.2)
    used, took = (server.cpu() - before) * 1e6 / count, time.monotonic() - began
    rows = ask(data, "SELECT count(*) FROM terms")
    if len(sys.argv) > 2:
        size = ask(data, "SELECT pg_total_relation_size('terms')")
    else:
        size = ask(data, "SELECT coalesce(sum(pgsize), 0) FROM dbstat WHERE name LIKE '%terms%'")
    print(f"covered in {took:.1f} s, {used:.0f} us CPU a message; {rows / count:.1f} terms and {size / count:.0f} bytes a message", flush=True)


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    data = tempfile.mkdtemp(prefix="parlance-bench-")
    where = ["--data-dir", data] + (["--database-url", sys.argv[2]] if len(sys.argv) > 2 else [])
    try:
        server = run.Server(where)
        server.call("POST", "users.create", {"username": "partner", "name": "Partner", "email": "p@example.com", "setRandomPassword": True})
        room = server.call("POST", "dm.create", {"username": "partner"})["room"]["_id"]
        other = server.call("GET", "users.info?username=partner")["user"]["_id"]
        server.stop()
        file = os.path.join(data, "messages.ndjson")
        with open(file, "w") as out:
            out.writelines(line + "\n" for line in run.messages(count, room, server.me, other))
        began = time.monotonic()
        subprocess.run([run.BINARY, "import", *where, file], check=True, stdout=subprocess.DEVNULL)
        print(f"imported {count} messages in {time.monotonic() - began:.1f} s")
        server = run.Server(where)
        try:
            covered(data, server, count)
        except sqlite3.OperationalError as error:
            print(f"no figures of the index: {error}")
        for place, more in (("in the room", {"roomId": room}), ("everywhere", {})):
            for name, text in QUESTIONS:
                path = "chat.search?" + urllib.parse.urlencode({"searchText": text, **more})
                found = len(server.call("GET", path)["messages"])
                times, before = [], server.cpu()
                while sum(times) < 1.5 and len(times) < 1000:
                    began = time.perf_counter()
                    server.call("GET", path)
                    times.append(time.perf_counter() - began)
                used = (server.cpu() - before) * 1e3 / len(times)
                times.sort()
                print(f"{name:30} {place:12} {found:>3}  {used:8.2f} ms CPU  p50 {times[len(times) // 2] * 1e3:8.2f} ms  p99 {times[len(times) * 99 // 100] * 1e3:8.2f} ms", flush=True)
        server.stop()
    finally:
        shutil.rmtree(data, ignore_errors=True)


main()
