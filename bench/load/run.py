#!/usr/bin/env python3
"""Server CPU per request, throughput and latency of the calls that matter, on the release binary.

    cargo build --release && bench/load/run.py [SECONDS]

Needs wrk (Debian: apt-get install wrk). Starts a server on a free port with a store of its own, makes
50 conversations with messages, and runs each call at 1 and at 64 connections. The load generator shares
the machine, so the CPU figures (user + system time of the server, per request) are the ones to compare.
"""
import json, os, re, shutil, signal, socket, subprocess, sys, tempfile, time, urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BINARY = os.environ.get("PARLANCE_BINARY") or os.path.join(
    os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release", "parlance")
TICK = os.sysconf("SC_CLK_TCK")
TEXT = "message 77: shall we move the review to tomorrow at ten? thanks"


def call(base, method, path, headers, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data, method=method,
                                     headers={"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def cpu(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def wrk(pid, url, connections, seconds, headers, script=None):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "--timeout", "30s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    if script:
        command += ["-s", script]
    before = cpu(pid)
    out = subprocess.run(command + [url], capture_output=True, text=True, check=True).stdout
    used = cpu(pid) - before
    count = int(re.search(r"(\d+) requests in", out)[1])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    half, most = (re.search(rf"\s{p}%\s+(\S+)", out)[1] for p in (50, 99))
    errors = re.search(r"Non-2xx.*", out)
    return f"{used * 1e6 / count:8.1f} us/req  {rate:8.0f} req/s  p50 {half:>8}  p99 {most:>8}  {errors[0] if errors else ''}"


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 4
    data = tempfile.mkdtemp(prefix="parlance-bench-")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://127.0.0.1:{port}"
    server = subprocess.Popen([BINARY, "serve", "--data-dir", data, "--http-addr", f"127.0.0.1:{port}"],
                              stdout=subprocess.PIPE, text=True, env={**os.environ, "ADMIN_PASS": "bench-password",
                                   "OVERWRITE_SETTING_API_Enable_Rate_Limiter": "false"})
    try:
        for line in server.stdout:
            if "listening" in line:
                break
        session = call(base, "POST", "/api/v1/login", {}, {"user": "admin", "password": "bench-password"})["data"]
        rocket = {"X-Auth-Token": session["authToken"], "X-User-Id": session["userId"]}
        meepa = {"Authorization": "Bearer " + session["authToken"]}
        rooms = []
        for n in range(50):
            name = f"user{n}"
            call(base, "POST", "/api/v1/users.create", rocket, {
                "username": name, "name": name, "email": f"{name}@example.com", "setRandomPassword": True})
            room = call(base, "POST", "/api/v1/dm.create", rocket, {"username": name})["room"]["_id"]
            rooms.append(room)
            for _ in range(60 if n == 0 else 2):
                call(base, "POST", "/api/v1/chat.sendMessage", rocket, {"message": {"rid": room, "msg": TEXT}})
        script = os.path.join(data, "send.lua")
        with open(script, "w") as lua:
            body = json.dumps({"message": {"rid": "%s", "msg": TEXT}})
            lua.write("local rooms = {" + ",".join(f'"{room}"' for room in rooms) + "}\nlocal n = 0\n")
            lua.write('wrk.method = "POST"\nwrk.headers["Content-Type"] = "application/json"\n')
            lua.write(f"function request() n = n + 1; return wrk.format(nil, nil, nil, string.format([[{body}]], rooms[n % #rooms + 1])) end\n")
        runs = [
            ("dm.list, 50 rooms", "/api/v1/dm.list", rocket, None),
            ("dm.messages, newest 50", f"/api/v1/dm.messages?roomId={rooms[0]}", rocket, None),
            ("GET /api/dms, 30", "/api/dms", meepa, None),
            ("chat.sendMessage, durable", "/api/v1/chat.sendMessage", rocket, script),
        ]
        for name, path, headers, lua in runs:
            for connections in (1, 64):
                print(f"{name:28} c={connections:<3}", wrk(server.pid, base + path, connections, seconds, headers, lua), flush=True)
        rss = re.search(r"VmRSS:\s+(\d+)", open(f"/proc/{server.pid}/status").read())[1]
        print(f"resident memory after the run: {int(rss) / 1024:.0f} MB")
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(15)
        shutil.rmtree(data, ignore_errors=True)


main()
