/** The cold scan written in C, the peer that nothing can be faster than: scan.c, compiled for the run. */
import { run } from "../testbed/process.ts";
import { URI } from "../testbed/virsh.ts";
import { AnsweringProcess } from "./answering_process.ts";

const SOURCE = new URL("./scan.c", import.meta.url).pathname;

/** A connected C program that scans when it is asked to. */
export class CScan extends AnsweringProcess {
  readonly #folder: string;

  private constructor(folder: string) {
    super([`${folder}/scan`, URI]);
    this.#folder = folder;
  }

  static async start(): Promise<CScan> {
    const folder = await Deno.makeTempDir({ prefix: "kvmm-bench-" });
    await run(["cc", "-O2", "-o", `${folder}/scan`, SOURCE, "-l:libvirt.so.0", "-l:libxml2.so.2"]);
    return new CScan(folder);
  }

  /** One scan. @returns milliseconds. @throws {Error} when libvirt gives no list */
  async scan(): Promise<number> {
    await this.write("scan");
    const { ms, result } = await this.read() as { readonly ms: number; readonly result: number };
    if (result < 0) throw new Error("libvirt gave scan.c no list of VMs");
    return ms;
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await super[Symbol.asyncDispose]();
    await Deno.remove(this.#folder, { recursive: true });
  }
}
