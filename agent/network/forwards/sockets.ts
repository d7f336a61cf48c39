/** Programs of this host that wait on ports. Source: proc(5). */
import { type Socket, waitingSockets } from "../../../lib/network/sockets.ts";

const LISTS = [
  { path: "/proc/net/tcp", protocol: "tcp", family: 4 },
  { path: "/proc/net/tcp6", protocol: "tcp", family: 6 },
  { path: "/proc/net/udp", protocol: "udp", family: 4 },
  { path: "/proc/net/udp6", protocol: "udp", family: 6 },
] as const;

/** Every socket that waits for somebody. A list the kernel does not have (IPv6 is off) has none. */
export async function hostSockets(): Promise<Socket[]> {
  const lists = await Promise.all(LISTS.map(async ({ path, protocol, family }) => {
    try {
      return waitingSockets(await Deno.readTextFile(path), protocol, family);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return [];
      throw error;
    }
  }));
  return lists.flat();
}

/** The program that has a socket, as people know it: `sshd (process 812)`. What may not be looked at is not named. */
export async function ownerOf({ inode }: Socket): Promise<string> {
  const wanted = `socket:[${inode}]`;
  for await (const { name: pid } of Deno.readDir("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      for await (const { name: fd } of Deno.readDir(`/proc/${pid}/fd`)) {
        if (await Deno.readLink(`/proc/${pid}/fd/${fd}`) !== wanted) continue;
        const command = (await Deno.readTextFile(`/proc/${pid}/comm`)).trim();
        return `${command.replaceAll(/[^\x20-\x7e]/g, "?")} (process ${pid})`;
      }
    } catch {
      continue; // it ended meanwhile, or belongs to somebody else
    }
  }
  return "a program of the host";
}
