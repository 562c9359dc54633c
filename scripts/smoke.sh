#!/bin/bash
# The main job as a newcomer meets it: clone into an empty folder, npm ci, npm start, wait for the console and for the
# first identified song, then stop it the polite way and see that it ends cleanly.
set -u
source_directory=$(cd "$(dirname "$0")/.." && pwd)
folder=$(mktemp -d)
pid=""
finish() {
  if [ -n "$pid" ] && kill -TERM -- "-$pid" 2>/dev/null; then
    for _ in $(seq 1 20); do kill -0 -- "-$pid" 2>/dev/null || break; sleep 0.25; done
    kill -KILL -- "-$pid" 2>/dev/null
  fi
  rm -rf "$folder"
}
trap finish EXIT

git clone -q "$source_directory" "$folder/longwave" || exit 1
cd "$folder/longwave" || exit 1
SECONDS=0
npm ci >"$folder/ci.log" 2>&1 || { tail -20 "$folder/ci.log"; exit 1; }
echo "smoke: npm ci took ${SECONDS} s"

port=$((20000 + RANDOM % 20000))
SECONDS=0
set -m
npm start -- --port "$port" >"$folder/start.log" 2>&1 &
pid=$!
set +m
ok=""
for _ in $(seq 1 360); do
  if curl -fsS "http://127.0.0.1:$port/v1/health" >/dev/null 2>&1; then ok=yes; break; fi
  kill -0 "$pid" 2>/dev/null || break
  sleep 0.5
done
[ -n "$ok" ] || { echo "smoke: the station did not listen within 3 minutes (a quiet machine takes less than 30 s)"; tail -30 "$folder/start.log"; exit 1; }
echo "smoke: npm start listened after ${SECONDS} s"
curl -fsS "http://127.0.0.1:$port/" | grep -qi '<!doctype html' || { echo "smoke: no console page"; exit 1; }

# One identified song must appear among the live events.
timeout 60 curl -fsSN "http://127.0.0.1:$port/v1/events" 2>/dev/null | grep -m1 -E '"(type|event)":"match"|^event: match' >/dev/null ||
  { echo "smoke: nothing was identified within 60 s"; tail -30 "$folder/start.log"; exit 1; }
echo "smoke: identified after ${SECONDS} s"

kill -TERM -- "-$pid"
for _ in $(seq 1 40); do
  kill -0 "$pid" 2>/dev/null || { pid=""; break; }
  sleep 0.25
done
[ -z "$pid" ] || { echo "smoke: the station did not stop within 10 s of SIGTERM"; exit 1; }
echo "smoke: stopped cleanly"
