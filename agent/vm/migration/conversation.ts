/** Questions to the KVM Manager that a VM moves to, on the WebSocket that lasts as long as the move. */
import { ContractError } from "../../../lib/contract/errors.ts";
import {
  MIGRATION_PATH,
  type MigrationAnswers,
  MigrationNonsense,
  type MigrationQuestion,
  MigrationRefusal,
  readAnswer,
} from "../../../lib/host/migration_protocol.ts";
import type { Principal } from "../../access.ts";
import { openFarSocket } from "../../http/far_socket.ts";
import type { LinkedHost } from "../../hosts/linked/linked_host.ts";
import { connectionFault } from "../../hosts/linked/peer_connection.ts";
import { farError, NonsenseError } from "../../hosts/linked/remote_call.ts";
import type { WebSocketConnection } from "../../http/websocket_connection.ts";
import { t } from "./findings.ts";
import { UpgradeRefusedError } from "../../outbound/web_socket.ts";
import { LINE_DONE } from "./relay.ts";

export class MigrationConversation implements Disposable {
  readonly #answers: AsyncGenerator<unknown, void, undefined>;

  private constructor(
    readonly host: LinkedHost,
    readonly principal: Principal,
    private readonly far: WebSocketConnection,
  ) {
    this.#answers = far.messages();
  }

  /** Begins one. @throws {ContractError} LinkedHostAway */
  static async begin(host: LinkedHost, principal: Principal): Promise<MigrationConversation> {
    try {
      const { far } = await openFarSocket(host, { path: MIGRATION_PATH, ticket: "" }, principal);
      return new MigrationConversation(host, principal, far);
    } catch (error) {
      throw refusal(host, error) ?? away(host, error);
    }
  }

  /** One that lasts as long as some work. @throws {ContractError} LinkedHostAway; what the work throws */
  static async during<T>(
    host: LinkedHost,
    principal: Principal,
    work: (talk: MigrationConversation) => Promise<T>,
  ): Promise<T> {
    const talk = await MigrationConversation.begin(host, principal);
    try {
      return await work(talk);
    } finally {
      talk[Symbol.dispose]();
    }
  }

  /**
   * Asks; one question at a time.
   *
   * @throws {ContractError} the other one's refusal; LinkedHostAway where the connection was cut; LinkedHostNonsense
   */
  async ask<Q extends MigrationQuestion>(question: Q): Promise<MigrationAnswers[Q["do"]]> {
    const { host } = this;
    if (!await this.far.send(JSON.stringify(question))) throw away(host, new Error("the connection was cut"));
    const { value, done } = await this.#answers.next();
    if (done === true) throw away(host, new Error("the connection was cut"));
    try {
      if (typeof value !== "string") throw new MigrationNonsense("it answers with bytes");
      return readAnswer(question.do as Q["do"], value);
    } catch (error) {
      const known = error instanceof MigrationRefusal ? farError(error.body, 502) : error;
      if (!(known instanceof MigrationNonsense || known instanceof NonsenseError)) throw known;
      const reason = known.message;
      throw new ContractError("LinkedHostNonsense", { host: host.label, reason }, { cause: known });
    }
  }

  [Symbol.dispose](): void {
    this.far.close(LINE_DONE);
  }
}

/** HTTP statuses with which the WebSocket is refused → why. */
const REFUSALS: Readonly<Record<number, "migration.not_let_in" | "migration.too_old" | undefined>> = {
  403: "migration.not_let_in",
  404: "migration.too_old",
};

/** Why the other one opens no WebSocket, where it says so. */
function refusal(host: LinkedHost, cause: unknown): ContractError | undefined {
  const reason = cause instanceof UpgradeRefusedError ? REFUSALS[cause.status] : undefined;
  return reason && new ContractError("VmNotMovable", { host: host.label, reason: t(reason) }, { cause });
}

const away = (host: LinkedHost, cause: unknown) =>
  new ContractError("LinkedHostAway", { host: host.label, reason: connectionFault(cause) }, { cause });
