/** One host of the demo: libvirt's test driver, and what answers for what that lacks. */
import { join } from "node:path";
import type { LibvirtAddress } from "../../../ffi/address.ts";
import { type CallArgs, type CallName, type CallResult, CALLS } from "../../../ffi/calls/mod.ts";
import { Connection } from "../../../ffi/connection.ts";
import { LibvirtError, VIR_ERR } from "../../../ffi/error.ts";
import { openShared } from "../../../ffi/shared_connection.ts";
import type { ConsoleListener, ConsoleStream, ConsoleTarget } from "../../../ffi/streams.ts";
import { isUnsupported } from "../../libvirt/failure.ts";
import type { Simulation } from "../../libvirt/simulation.ts";
import { serveScreen } from "../screen/rfb_server.ts";
import { type DemoScreen, screenOf } from "../screen/screen.ts";
import { DemoTerminal, type TerminalGuest } from "../screen/terminal.ts";
import type { DemoHost } from "../world/hosts.ts";
import { idOf, nodeXml } from "../world/node_xml.ts";
import { DEMO_VMS } from "../world/vms.ts";
import { type AnswerContext, ANSWERS } from "./answers.ts";
import { Counters } from "./counters.ts";
import { simulatedAddresses } from "./guest.ts";
import { DemoMachine } from "./machine.ts";
import { type SimulatedSubject, Subjects } from "./subjects.ts";

/** Characters of an id that a socket is called by: a socket's path has 107 at most. */
const SOCKET_NAME = 13;

/** Files and clock of a demo. */
export interface DemoPlace {
  /** A folder of its own. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export class HostSimulation implements Simulation, Disposable {
  readonly address: LibvirtAddress;
  readonly machine: DemoMachine;
  readonly #stack = new DisposableStack();
  readonly #context: AnswerContext;
  readonly #subjects: Subjects;
  readonly #screens = new Map<string, DemoScreen>();
  readonly #sockets = new Set<string>();
  readonly #place: DemoPlace;

  /** Opens the host. @throws {LibvirtError} if libvirt is missing, or refuses the definition */
  constructor(readonly uri: string, readonly host: DemoHost, place: DemoPlace) {
    this.#place = place;
    const file = join(place.folder, `${host.id}.xml`);
    Deno.writeTextFileSync(file, nodeXml(host, place.now()));
    const shared = this.#stack.use(openShared(`test://${file}`));
    Deno.removeSync(file);
    this.address = { uri, shared: shared.pointer };
    const connection = this.#stack.use(Connection.open(this.address));
    for (const vm of DEMO_VMS.filter((each) => each.host === host.id)) {
      CALLS.domainSetAutostart.run(connection, { uuid: idOf(vm), autostart: vm.autostart });
    }
    for (const { name } of host.networks) {
      CALLS.networkSetAutostart.run(connection, { name, autostart: true });
    }
    for (const { name } of host.pools) {
      CALLS.poolSetAutostart.run(connection, { pool: name, autostart: true });
    }
    this.#subjects = new Subjects(host, connection, place.now);
    this.machine = new DemoMachine(
      host,
      place.now,
      (vm) => this.#subjects.find(idOf(vm))?.live !== undefined,
    );
    this.#context = {
      host,
      subjects: this.#subjects,
      counters: new Counters(host, place.now),
      now: place.now,
      screenOf: (uuid, subject) => this.#screenOf(uuid, subject),
    };
  }

  async call<N extends CallName>(
    name: N,
    args: CallArgs<N>,
    ask: (args: CallArgs<N>) => Promise<CallResult<N>>,
  ): Promise<CallResult<N>> {
    const answer = ANSWERS[name];
    try {
      return answer === undefined ? await ask(args) : await answer(this.#context, args, ask);
    } catch (error) {
      if (!isUnsupported(error)) throw error;
      throw new LibvirtError({ code: VIR_ERR.NO_SUPPORT, message: "this is a demo, which has no QEMU" });
    }
  }

  #factsOf(subject: SimulatedSubject): TerminalGuest {
    const { vm, startedAt } = subject, { now } = this.#place;
    const addresses = simulatedAddresses(this.host, subject).map(({ address, prefix }) =>
      `${address}/${prefix}`
    );
    return { vm, startedAt, addresses, now };
  }

  #screenOf(uuid: string, subject: SimulatedSubject): DemoScreen {
    const key = `${uuid} ${subject.startedAt}`;
    return this.#screens.getOrInsertComputed(key, () => screenOf(this.#factsOf(subject)));
  }

  /** @throws {LibvirtError} */
  #running(uuid: string): SimulatedSubject {
    const subject = this.#subjects.find(uuid);
    if (subject?.live !== undefined) return subject;
    throw new LibvirtError({ code: VIR_ERR.OPERATION_INVALID, message: "domain is not running" });
  }

  openConsole({ uuid, channel }: ConsoleTarget, listener: ConsoleListener): Promise<ConsoleStream> {
    if (channel !== undefined) {
      const message = "the demo's guests have no program at this channel";
      return Promise.reject(new LibvirtError({ code: VIR_ERR.OPERATION_FAILED, message }));
    }
    const terminal = new DemoTerminal(this.#factsOf(this.#running(uuid)));
    const encoder = new TextEncoder(), decoder = new TextDecoder();
    let isOpen = true;
    const say = (text: string) => {
      if (isOpen && text !== "") listener.data(encoder.encode(text));
    };
    setTimeout(() => say(terminal.greeting()));
    return Promise.resolve({
      write: (bytes) => say(terminal.type(decoder.decode(bytes, { stream: true }))),
      close: () => {
        isOpen = false;
        return Promise.resolve();
      },
    });
  }

  screenSocket(vmId: string): string {
    const path = join(this.#place.folder, `${vmId.slice(0, SOCKET_NAME)}.sock`);
    if (!this.#sockets.has(path)) {
      this.#sockets.add(path);
      const { vm } = this.#running(vmId);
      this.#stack.use(
        serveScreen(path, vm.name, () => this.#screenOf(vmId, this.#running(vmId))),
      );
    }
    return path;
  }

  [Symbol.dispose](): void {
    this.#stack.dispose();
  }
}
