"""Carries IP packets over bad roads until standard input ends: each road is a TUN device, and what is routed into it
comes out of it again, later, in another order or not at all."""

import fcntl, heapq, os, random, select, struct, sys, time

TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
PACKET_BYTES_MAX, WAITING_MAX = 65536, 4096
# The share that is lost, the least and the most seconds that a packet takes, and bytes a second.
ROADS = {
    "lossy": (0.2, 0.0, 0.0, None),
    "late": (0.0, 0.3, 0.3, None),
    "jumbled": (0.0, 0.0, 0.1, None),
    "narrow": (0.0, 0.0, 0.0, 16000),
}


def open_road(name):
    road = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(road, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
    return road


roads = {open_road(name): how for name, how in ROADS.items()}
free_at = dict.fromkeys(roads, 0.0)
under_way, count = [], 0
print("ready", flush=True)
while True:
    until = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
    readable, _, _ = select.select([sys.stdin, *roads], [], [], until)
    if sys.stdin in readable:
        break
    now = time.monotonic()
    for road in readable:
        lost, least, most, bytes_per_second = roads[road]
        try:
            packet = os.read(road, PACKET_BYTES_MAX)
        except OSError:
            continue
        if random.random() < lost or len(under_way) >= WAITING_MAX:
            continue
        due = now + random.uniform(least, most)
        if bytes_per_second:
            free_at[road] = due = max(now, free_at[road]) + len(packet) / bytes_per_second
        count += 1
        heapq.heappush(under_way, (due, count, road, packet))
    while under_way and under_way[0][0] <= now:
        _, _, road, packet = heapq.heappop(under_way)
        try:
            os.write(road, packet)
        except OSError:
            pass
