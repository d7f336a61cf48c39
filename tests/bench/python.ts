/** python3-libvirt, the peer: what most tools on libvirt are written with. */
import { run } from "../testbed/process.ts";
import { URI } from "../testbed/virsh.ts";
import { AnsweringProcess } from "./answering_process.ts";

/** Debian's own Python: another one in PATH does not have the package. */
const PYTHON = "/usr/bin/python3";
const SCRIPT = new URL("./peer.py", import.meta.url).pathname;

/** Cost of one command. Milliseconds. */
export interface PythonAnswer {
  readonly ms: number;
  /** CPU time, user and system. */
  readonly cpu: number;
  readonly result: number;
  /** When it began, since 1970. */
  readonly at: number;
}

/** An event it received. Milliseconds since 1970. */
export interface PythonEvent {
  readonly at: number;
  readonly name: string;
  readonly event: number;
}

/** A program on python3-libvirt that stays connected: its own start does not count against it. */
export class Python extends AnsweringProcess {
  static start(): Python {
    return new Python([PYTHON, SCRIPT, URI, "answer"]);
  }

  /** @param command as in peer.py */
  async ask(command: string): Promise<PythonAnswer> {
    await this.write(command);
    return await this.read() as PythonAnswer;
  }
}

/** A program on python3-libvirt that receives events. */
export class PythonListener extends AnsweringProcess {
  static async start(): Promise<PythonListener> {
    const listener = new PythonListener([PYTHON, SCRIPT, URI, "listen"]);
    await listener.read(); // "ready"
    return listener;
  }

  async event(): Promise<PythonEvent> {
    return await this.read() as PythonEvent;
  }
}

/** A program on python3-libvirt that is started, scans, and ends; gives its answer. */
export async function pythonOnce(): Promise<{ readonly cpu: number; readonly result: number }> {
  return JSON.parse(await run([PYTHON, SCRIPT, URI, "once"]));
}
