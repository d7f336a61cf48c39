/** For tests: the UI's data from a server of one's own making, and a desk that keeps what panes ask of it. */
import { ApiError } from "../../lib/client/api.ts";
import type { Grant, Job, VM } from "../../lib/contract/mod.ts";
import { layerOf, toldRights } from "../../lib/access/rights.ts";
import type { Server } from "../connect/server.ts";
import type { ServerRequest } from "../connect/server_request.ts";
import type { Desk, DeskMessage, Work } from "./desk.ts";
import { ASCII } from "./glyphs.ts";
import type { StyledLine } from "./line.ts";
import { LiveData } from "./live_data.ts";
import { paint } from "./paint.ts";
import type { Pane, PaneArea } from "./pane.ts";

/** Answers by command; a function gets the input. */
export type Answers = Readonly<Record<string, unknown>>;

/** A server that answers from a table. */
export function tableServer(
  answers: Answers,
  request?: (path: string, of?: ServerRequest) => Promise<Response>,
): Server {
  return {
    name: "test",
    isHere: true,
    origin: "http://localhost",
    base: "http://localhost",
    host: undefined,
    call: (name: string, input: unknown) => {
      if (!Object.hasOwn(answers, name)) return Promise.reject(new ApiError("Forbidden", `not ${name}`));
      const answer = answers[name];
      return Promise.resolve(typeof answer === "function" ? answer(input) : answer).then((value) =>
        structuredClone(value)
      );
    },
    request: request ?? (() => Promise.reject(new ApiError("Unreachable", "away"))),
    follow: () => Promise.reject(new Error("not here")),
    line: () => Promise.reject(new Error("not here")),
  };
}

/** Answers of a server with these VMs, to somebody with these grants; an administrator without any. */
export function answersOf(
  vms: readonly VM[],
  { grants, jobs = [] }: { grants?: readonly Grant[]; jobs?: readonly Job[] } = {},
): Answers {
  const rights = grants === undefined ? ["all" as const] : [layerOf(grants, new Map())];
  const host = {
    id: "local",
    label: "lab",
    uri: "",
    isLocal: true,
    status: "connected",
    error: null,
    since: 0,
    isKnown: true,
  };
  return {
    get_session: {
      user: null,
      name: "ann",
      via: "token",
      administrator: grants === undefined,
      confirmedUntil: null,
      permissions: [],
      allowances: toldRights(rights),
    },
    list_hosts: [host],
    get_vms: vms,
    list_jobs: jobs,
  };
}

/** A desk whose data were read. */
export class TestDesk implements Desk {
  readonly panes: Pane[] = [];
  readonly messages: DeskMessage[] = [];
  readonly works: Work[] = [];
  readonly data: LiveData;

  private constructor(readonly server: Server) {
    this.data = new LiveData(server, () => {});
  }

  static async of(server: Server): Promise<TestDesk> {
    const desk = new TestDesk(server);
    desk.data.reload();
    await desk.settled();
    return desk;
  }

  /** Waits until what was asked of the server is answered. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve, 0));
  }

  get top(): Pane {
    return this.panes.at(-1)!;
  }

  open(pane: Pane): void {
    this.panes.push(pane);
  }

  close(pane: Pane): void {
    const at = this.panes.indexOf(pane);
    if (at >= 0) this.panes.splice(at);
  }

  say(text: string, tone: DeskMessage["tone"]): void {
    this.messages.push({ text, tone, at: 0 });
  }

  fail(error: unknown): void {
    if (!(error instanceof ApiError)) throw error;
    this.say(error.message, "bad");
  }

  mark(): number {
    return 0;
  }

  show(title: string, text: string): void {
    this.say(`${title}: ${text}`, "ok");
  }

  work(work: Work): void {
    this.works.push(work);
  }

  async(_doing: string, run: () => Promise<void>): void {
    run().catch((error) => this.fail(error));
  }

  console(): void {}
  refresh(): void {}
}

/** A place without colours and Unicode. */
export const place = (columns = 80, rows = 20): PaneArea => ({
  columns,
  rows,
  now: 1_000_000,
  look: { colours: false, glyphs: ASCII },
});

/** Lines as they are painted, without their styles. */
export const painted = (lines: readonly StyledLine[], columns = 80): string[] =>
  // deno-lint-ignore no-control-regex -- the sequences of styles
  lines.map((each) => paint(each, columns, place().look).replace(/\x1b\[[0-9;]*[mGK]/g, "").trimEnd());

/** Presses keys on a pane, as the app does. */
export function press(pane: Pane, ...keys: readonly string[]): void {
  for (const key of keys) {
    const found = pane.bindings().find((each) => each.keys.includes(key));
    if (found !== undefined) found.run();
    else pane.type?.(key);
  }
}

/** The keys that a pane offers. */
export const offered = (pane: Pane): string[] => pane.bindings().map(({ label }) => label);
