/** Counts what a process sends to libvirt: with strace, independently of what the process reports. */
import { delay, until } from "../testbed/wait.ts";

/** The system calls that libvirt's client may send with. */
const SENDING = "trace=write,writev,sendto,sendmsg";
/** How strace prints a connected UNIX socket. libvirt's is the only kind in use here: HTTP is TCP, the log a pipe. */
const TO_SOCKET = /(?:write|writev|sendto|sendmsg)\(\d+<UNIX-STREAM:/;

/** Messages a process sends over UNIX sockets while `during` runs. Each is a call, or a keep-alive every 3 s. */
export async function callsOf(pid: number, during: () => Promise<unknown>): Promise<number> {
  const log = await Deno.makeTempFile({ prefix: "kvmm-bench-" });
  try {
    const child = new Deno.Command("strace", {
      args: ["-f", "-yy", "-s", "0", "-e", SENDING, "-o", log, "-p", String(pid)],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const attached = new TextDecoder();
    let said = "";
    const reading = (async () => {
      for await (const bytes of child.stderr) said += attached.decode(bytes, { stream: true });
    })();
    await until("strace to attach", () => Promise.resolve(said.includes("attached")), { every: 20 });
    await delay(100);
    await during();
    child.kill("SIGINT");
    await Promise.all([child.status, reading]);
    return (await Deno.readTextFile(log)).split("\n").filter((line) => TO_SOCKET.test(line)).length;
  } finally {
    await Deno.remove(log);
  }
}
