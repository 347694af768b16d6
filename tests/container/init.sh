#!/usr/bin/env bash
# The first process of the engine, in namespaces of its own (engine.py): its root becomes ROOT, and dockerd serves there until
# it is told to stop. Mounts, networks and processes end with these namespaces.
set -euo pipefail
ROOT=$1 WORK=$2 SOURCES=$3 CGROUP=$4

mount --bind "$ROOT" "$ROOT"
mount --bind "$ROOT" "$ROOT" # pivot_root wants its new root to be a mount whose parent is another one
mount -t proc proc "$ROOT/proc"
mount -t sysfs -o ro sysfs "$ROOT/sys"
mount --rbind /sys/fs/cgroup "$ROOT/sys/fs/cgroup"
mount --rbind /dev "$ROOT/dev"
mount -t tmpfs tmpfs "$ROOT/run"
mount -t tmpfs tmpfs "$ROOT/tmp"
for folder in "$WORK" "$SOURCES"; do # under the same paths, so that the engine finds what a compose file mounts
    mkdir -p "$ROOT/$folder"
    mount --bind "$folder" "$ROOT/$folder"
done
mount -o remount,bind,ro "$ROOT/$SOURCES"
mkdir -p "$ROOT/mnt"
cd "$ROOT"
pivot_root . mnt
umount -l /mnt
export PATH=/usr/sbin:/usr/bin:/sbin:/bin
echo "nameserver 10.0.2.3" >/etc/resolv.conf # slirp4netns
ip link set lo up
dockerd --data-root "$WORK/data" --exec-root /run/docker -p /run/docker.pid -H "unix://$WORK/docker.sock" \
    --cgroup-parent "/$CGROUP" --log-level warn &
engine=$!
wait $engine # bash reaps what the engine leaves behind meanwhile
