/** Somebody outside the host: a network namespace of its own, joined to the host by a wire. */
import { releaseName, testName } from "./names.ts";
import { ensurePackages } from "./packages.ts";
import { ProcessError, run } from "./process.ts";
import { Unavailable } from "./unavailable.ts";

/** A machine outside that can call the host. */
export interface Outside extends AsyncDisposable {
  /** Its own address. */
  readonly address: string;
  /** The host's address on the wire. */
  readonly host: string;
  /** The same in IPv6. */
  readonly address6: string;
  readonly host6: string;
  /** Sends a line over TCP and gives the first line that comes back; null without an answer. */
  tcp(host: string, port: number, line: string): Promise<string | null>;
  /** The same as one datagram over UDP. */
  udp(host: string, port: number, line: string): Promise<string | null>;
}

/** Bash speaks TCP itself. It reads byte by byte, though, and a datagram is read at once or not at all: perl. */
const ASK = {
  tcp: [
    "bash",
    "-c",
    'exec 3<>"/dev/tcp/$0/$1" && printf "%s\\r\\n\\r\\n" "$2" >&3 && IFS= read -r -t 2 line <&3 && printf "%s" "$line"',
  ],
  udp: [
    "perl",
    "-e",
    'socket(S, 2, 2, 17); connect(S, pack("S n C4 x8", 2, $ARGV[1], split(/\\./, $ARGV[0]))); ' +
    "send(S, $ARGV[2], 0); $SIG{ALRM} = sub { exit 1 }; alarm 2; defined recv(S, my $data, 9000, 0) or exit 1; " +
    "print $data",
  ],
} as const;

async function ask(
  prefix: readonly string[],
  protocol: keyof typeof ASK,
  host: string,
  port: number,
  line: string,
): Promise<string | null> {
  try {
    return (await run([...prefix, "timeout", "4", ...ASK[protocol], host, String(port), line])).trimEnd();
  } catch (error) {
    if (error instanceof ProcessError) return null; // refused, or no answer in time
    throw error;
  }
}

/** The same questions from the host itself. */
export const fromHost = {
  tcp: (host: string, port: number, line: string) => ask([], "tcp", host, port, line),
  udp: (host: string, port: number, line: string) => ask([], "udp", host, port, line),
};

/** Makes one; it is removed, with its wire, when it is disposed of. */
export async function outside(): Promise<Outside> {
  const name = await testName("outside");
  const device = `kvmmt${name.slice(-8)}`;
  await using undo = new AsyncDisposableStack();
  undo.defer(() => releaseName(name));
  await run(["ip", "netns", "add", name]);
  undo.defer(async () => void await run(["ip", "netns", "delete", name]));
  await run(["ip", "link", "add", "name", device, "type", "veth", "peer", "name", "eth0", "netns", name]);
  // Of the block for tests of networks (RFC 2544): it is not used for anything else.
  const [a, b] = crypto.getRandomValues(new Uint8Array(2));
  const subnet = `198.${18 + a! % 2}.${b}`;
  const [host, address] = [`${subnet}.1`, `${subnet}.2`];
  await run(["ip", "address", "add", `${host}/30`, "dev", device]);
  const subnet6 = `fd98:${a!.toString(16)}:${b!.toString(16)}:1`;
  const [host6, address6] = [`${subnet6}::1`, `${subnet6}::2`];
  // Without looking for others that have it: there are none, and it takes a second.
  await run(["ip", "address", "add", `${host6}/64`, "dev", device, "nodad"]);
  await run(["ip", "link", "set", "dev", device, "up"]);
  await run(["ip", "-n", name, "address", "add", `${address}/30`, "dev", "eth0"]);
  await run(["ip", "-n", name, "address", "add", `${address6}/64`, "dev", "eth0", "nodad"]);
  await run(["ip", "-n", name, "link", "set", "dev", "lo", "up"]);
  await run(["ip", "-n", name, "link", "set", "dev", "eth0", "up"]);
  await run(["ip", "-n", name, "route", "add", "default", "via", host]);
  await run(["ip", "-n", name, "-6", "route", "add", "default", "via", host6]);
  const cleanup = undo.move();
  const prefix = ["ip", "netns", "exec", name];
  return {
    address,
    host,
    address6,
    host6,
    tcp: (host, port, line) => ask(prefix, "tcp", host, port, line),
    udp: (host, port, line) => ask(prefix, "udp", host, port, line),
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

/**
 * Makes sure that this machine can forward ports: programs, rights, and a kernel that knows the words we use. Tried in
 * a namespace of its own, which the host notices nothing of.
 *
 * @throws {Unavailable} with what is missing
 */
export async function ensureForwarding(): Promise<void> {
  await ensurePackages("nftables", "iproute2", "iptables");
  if (Deno.uid() !== 0) throw new Unavailable("only root may change the packet filter");
  const name = await testName("probe");
  const words = `
    table inet probe {
      chain in { type nat hook prerouting priority -105; fib daddr type local tcp dport 1 dnat ip to 10.0.0.1; }
      chain back { type nat hook postrouting priority 95; ct status dnat masquerade; }
    }
    table netdev probe {
      chain deliver {
        type filter hook ingress device "probe1" priority 0;
        ip daddr 10.0.0.1 fwd ip to ip daddr device "probe0"
      }
    }`;
  try {
    await run(["ip", "netns", "add", name]);
    try {
      const there = ["ip", "netns", "exec", name];
      await run([...there, "ip", "link", "add", "name", "probe0", "type", "veth", "peer", "name", "probe1"]);
      await run([...there, "nft", "-f", "-"], { stdin: words });
      await run([...there, "ip", "rule", "add", "fwmark", "1", "lookup", "1"]);
    } finally {
      await run(["ip", "netns", "delete", name]);
    }
  } catch (error) {
    if (error instanceof ProcessError) throw new Unavailable(`the kernel cannot: ${error.message}`);
    throw error;
  } finally {
    await releaseName(name);
  }
}
