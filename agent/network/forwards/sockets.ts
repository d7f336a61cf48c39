/** Programs of this host that wait on ports. Source: proc(5). */
import { processWith } from "../../machine/open_files.ts";
import { ofProcess } from "../../machine/processes.ts";
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
  const pid = await processWith(`socket:[${inode}]`);
  const command = pid && await ofProcess(pid, () => Deno.readTextFile(`/proc/${pid}/comm`));
  if (!command) return "a program of the host";
  return `${command.trim().replaceAll(/[^\x20-\x7e]/g, "?")} (process ${pid})`;
}
