#!/usr/bin/env python3
"""`query` and `sort` on a room of 100,000 messages: server CPU and latency per request, release binary.

    cargo build --release && bench/query/run.py [MESSAGES] [DATABASE_URL]

Makes a store of its own (in an empty PostgreSQL database, if a URL is given), imports the messages,
and asks each question over one connection, one after the other.
"""
import http.client, json, os, random, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("PARLANCE_BINARY") or os.path.join(
    os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release", "parlance")
TICK = os.sysconf("SC_CLK_TCK")
START = 1_790_000_000_000
WORDS = "shall we move the review to tomorrow at ten thanks sure see you there lunch build is green again".split()


def free_port():
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    def __init__(self, where):
        port = free_port()
        self.process = subprocess.Popen([BINARY, "serve", *where, "--http-addr", f"127.0.0.1:{port}"],
                                        stdout=subprocess.PIPE, text=True, env={**os.environ, "ADMIN_PASS": "bench-password"})
        for line in self.process.stdout:
            if "listening" in line:
                break
        self.http = http.client.HTTPConnection("127.0.0.1", port)
        session = self.call("POST", "login", {"user": "admin", "password": "bench-password"}, {})["data"]
        self.headers = {"X-Auth-Token": session["authToken"], "X-User-Id": session["userId"]}
        self.me = session["userId"]

    def call(self, method, name, body=None, headers=None):
        data = None if body is None else json.dumps(body)
        self.http.request(method, "/api/v1/" + name, data, {"Content-Type": "application/json", **(self.headers if headers is None else headers)})
        answer = self.http.getresponse()
        text = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{name}: {answer.status} {text[:300]}")
        return json.loads(text)

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def messages(count, room, me, other):
    dice = random.Random(7)
    for n in range(count):
        text = " ".join(dice.choices(WORDS, k=12)) + (" needle" if n % 1000 == 0 else "")
        at = START + n * 1000
        document = {"_id": f"{n:024x}", "rid": room, "msg": text, "ts": {"$date": at}, "_updatedAt": {"$date": at},
                    "u": {"_id": other, "username": "partner", "name": "Partner"} if n % 3 else {"_id": me, "username": "admin", "name": "admin"},
                    "mentions": [{"_id": me, "username": "admin"}] if n % 500 == 0 else [], "channels": [],
                    "urls": [{"url": "https://example.com/needle", "meta": {}}] if n % 1000 == 1 else [],
                    "md": [{"type": "PARAGRAPH", "value": [{"type": "PLAIN_TEXT", "value": text}]}]}
        if n % 2000 == 3:
            document["pinned"] = True
            document["starred"] = [{"_id": me}]
        yield json.dumps({"collection": "messages", "document": document})


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    data = tempfile.mkdtemp(prefix="parlance-bench-")
    where = ["--data-dir", data] + (["--database-url", sys.argv[2]] if len(sys.argv) > 2 else [])
    try:
        server = Server(where)
        server.call("POST", "users.create", {"username": "partner", "name": "Partner", "email": "p@example.com", "setRandomPassword": True})
        room = server.call("POST", "dm.create", {"username": "partner"})["room"]["_id"]
        other = server.call("GET", "users.info?username=partner")["user"]["_id"]
        server.stop()
        file = os.path.join(data, "messages.ndjson")
        with open(file, "w") as out:
            out.writelines(line + "\n" for line in messages(count, room, server.me, other))
        began = time.monotonic()
        subprocess.run([BINARY, "import", *where, file], check=True, stdout=subprocess.DEVNULL)
        print(f"imported {count} messages in {time.monotonic() - began:.1f} s")
        server = Server(where)
        late, me = START + (count - 200) * 1000, server.me
        questions = [
            ("newest 50", {}),
            ("ts > the last 200", {"query": {"ts": {"$gt": {"$date": late}}}}),
            ("ts > all", {"query": {"ts": {"$gt": {"$date": START - 1}}}}),
            ("_id", {"query": {"_id": f"{count // 2:024x}"}}),
            ("mentions._id (1 of 500)", {"query": {"mentions._id": me}}),
            ("pinned (1 of 2,000)", {"query": {"pinned": True}}),
            ("starred._id (1 of 2,000)", {"query": {"starred._id": me}}),
            ("u.username (2 of 3)", {"query": {"u.username": "partner"}}),
            ("msg regex, 1 of 1,000", {"query": {"msg": {"$regex": "needle$"}}}),
            ("msg regex, i", {"query": {"msg": {"$regex": "NEEDLE", "$options": "i"}}}),
            ("msg regex, all", {"query": {"msg": {"$regex": "e"}}}),
            ("msg regex of the last 200", {"query": {"msg": {"$regex": "e"}, "ts": {"$gt": {"$date": late}}}}),
            ("urls.url, from the document", {"query": {"urls.url": {"$regex": "needle"}}}),
            ("sort by msg", {"sort": {"msg": 1}}),
            ("sort by urls.url", {"sort": {"urls.url": -1}}),
        ]
        for name, params in questions:
            params = urllib.parse.urlencode({"roomId": room, **{key: json.dumps(value) for key, value in params.items()}})
            path = "dm.messages?" + params
            total = server.call("GET", path)["total"]
            times, before = [], server.cpu()
            while sum(times) < 2 and len(times) < 2000:
                began = time.perf_counter()
                server.call("GET", path)
                times.append(time.perf_counter() - began)
            used = (server.cpu() - before) * 1e3 / len(times)
            times.sort()
            print(f"{name:30} total {total:>7}  {used:9.2f} ms CPU  p50 {times[len(times) // 2] * 1e3:9.2f} ms  p99 {times[len(times) * 99 // 100] * 1e3:9.2f} ms", flush=True)
        memory = [line.split()[1] for line in open(f"/proc/{server.process.pid}/status") if line.startswith(("VmRSS", "VmHWM"))]
        print(f"resident memory after: {int(memory[1]) // 1024} MB, at most {int(memory[0]) // 1024} MB")
        server.stop()
    finally:
        shutil.rmtree(data, ignore_errors=True)


if __name__ == "__main__":
    main()
