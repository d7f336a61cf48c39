"""What a tool on python3-libvirt does, for tests/bench: `peer.py URI answer | once | listen`.

answer: commands on standard input, a line of JSON for each on standard output.
once:   one scan of all machines, from nothing, as a program that is started for it.
listen: a line of JSON for each lifecycle event, with the time its callback was called.
"""
import json
import os
import sys
import time
import xml.etree.ElementTree as ElementTree

import libvirt

URI, MODE = sys.argv[1:3]

GROUPS = (
    libvirt.VIR_DOMAIN_STATS_CPU_TOTAL
    | libvirt.VIR_DOMAIN_STATS_BALLOON
    | libvirt.VIR_DOMAIN_STATS_INTERFACE
    | libvirt.VIR_DOMAIN_STATS_BLOCK
)
FLAGS = libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_ACTIVE | libvirt.VIR_CONNECT_GET_ALL_DOMAINS_STATS_NOWAIT


def scan(connection):
    """Asks for each machine what a list shows."""
    rows = []
    for domain in connection.listAllDomains(0):
        try:
            info = domain.info()
            tree = ElementTree.fromstring(domain.XMLDesc(0))
        except libvirt.libvirtError as error:
            if error.get_error_code() != libvirt.VIR_ERR_NO_DOMAIN:
                raise
            continue  # somebody removed it meanwhile
        rows.append((domain.name(), info, tree))
    return len(rows)


COMMANDS = {
    "scan": scan,
    "stats": lambda connection: len(connection.getAllDomainStats(GROUPS, FLAGS)),
    "start": lambda connection, name: connection.lookupByName(name).create(),
    "destroy": lambda connection, name: connection.lookupByName(name).destroy(),
    "suspend": lambda connection, name: connection.lookupByName(name).suspend(),
    "resume": lambda connection, name: connection.lookupByName(name).resume(),
}


def tell(**fields):
    print(json.dumps(fields), flush=True)


def answer(connection):
    for line in sys.stdin:
        name, *rest = line.split()
        at = time.time() * 1000
        cpu = time.process_time()
        begin = time.perf_counter()
        result = COMMANDS[name](connection, *rest)
        ms = (time.perf_counter() - begin) * 1000
        tell(ms=ms, cpu=(time.process_time() - cpu) * 1000, result=result, at=at)


def listen(connection):
    def lifecycle(_connection, domain, event, _detail, _opaque):
        tell(at=time.time() * 1000, name=domain.name(), event=event)

    connection.domainEventRegisterAny(None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, lifecycle, None)
    tell(ready=True)
    while True:
        libvirt.virEventRunDefaultImpl()


if MODE == "listen":
    libvirt.virEventRegisterDefaultImpl()
    listen(libvirt.openReadOnly(URI))
elif MODE == "once":
    count = scan(libvirt.open(URI))
    times = os.times()
    tell(result=count, cpu=(times.user + times.system) * 1000)
else:
    answer(libvirt.open(URI))
