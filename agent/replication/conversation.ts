/** Conversation with the KVM Manager that has a replica, on the WebSocket that an increment lasts. */
import { ContractError } from "../../lib/contract/errors.ts";
import { MigrationNonsense, MigrationRefusal } from "../../lib/host/migration_protocol.ts";
import {
  readReplicationAnswer,
  REPLICATION_PATH,
  type ReplicationAnswers,
  type ReplicationQuestion,
} from "../../lib/host/replication_protocol.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { Principal } from "../access.ts";
import { openFarSocket } from "../http/far_socket.ts";
import type { Farewell, WebSocketConnection } from "../http/websocket_connection.ts";
import { UpgradeRefusedError } from "../outbound/web_socket.ts";
import { SharedTime } from "../within.ts";
import type { LinkedHost } from "../hosts/linked/linked_host.ts";
import { connectionFault } from "../hosts/linked/peer_connection.ts";
import { farError, NonsenseError } from "../hosts/linked/remote_call.ts";
import { message } from "../../lib/i18n/message.ts";

const DONE: Farewell = { code: 1000, reason: "" };
/** Milliseconds that the other one's reason may take to come after the connection is gone. */
const REASON_MS = 1000;

type Question = ReplicationQuestion["do"];
/**
 * Milliseconds that an answer may take: a host that is there, and answers nothing, holds nothing up for good. What copies or
 * merges disks there may take as long as it takes.
 */
const ANSWER_MS: Readonly<Partial<Record<Question, number>>> = {
  open: 2 * 60_000,
  digests: 10 * 60_000,
  definition: 2 * 60_000,
  state: 2 * 60_000,
  unchanged: 2 * 60_000,
  check: 2 * 60_000,
  promote: 10 * 60_000,
  forget: 10 * 60_000,
};

/** The connection was cut while the other one may have done what was asked. */
export class ConversationCut extends ContractError {}

export class ReplicationConversation implements Disposable {
  readonly #answers: AsyncGenerator<unknown, void, undefined>;

  private constructor(
    readonly host: LinkedHost,
    private readonly far: WebSocketConnection,
    private readonly farewell: Promise<Farewell>,
    private readonly answerMs: typeof ANSWER_MS,
  ) {
    this.#answers = far.messages();
  }

  /** Begins one. @throws {ContractError} LinkedHostAway, ReplicationNotPossible */
  static async begin(
    host: LinkedHost,
    principal: Principal,
    answerMs = ANSWER_MS,
  ): Promise<ReplicationConversation> {
    try {
      const { far, farewell } = await openFarSocket(host, { path: REPLICATION_PATH, ticket: "" }, principal);
      return new ReplicationConversation(host, far, farewell, answerMs);
    } catch (error) {
      const reason = error instanceof UpgradeRefusedError ? REFUSALS[error.status] : undefined;
      if (reason !== undefined) {
        throw new ContractError("ReplicationNotPossible", { reason: `${host.label} ${reason}` }, {
          cause: error,
        });
      }
      throw new ContractError("LinkedHostAway", { host: host.label, reason: connectionFault(error) }, {
        cause: error,
      });
    }
  }

  /** Ends it when a signal is aborted. */
  endWith(signal: AbortSignal): void {
    const close = () => this.far.close(DONE);
    if (signal.aborted) close();
    else signal.addEventListener("abort", close, { once: true });
  }

  /**
   * Sends a question and returns its answer; one question at a time.
   *
   * @throws {ConversationCut} LinkedHostAway if the connection was cut
   * @throws {ContractError} refusals of the peer; LinkedHostNonsense
   */
  async ask<Q extends ReplicationQuestion>(question: Q): Promise<ReplicationAnswers[Q["do"]]> {
    if (!await this.far.send(JSON.stringify(question))) throw await this.#cut();
    const { value, done } = await this.#next(question.do);
    if (done === true) throw await this.#cut();
    try {
      if (typeof value !== "string") throw new MigrationNonsense("it answers with bytes");
      return readReplicationAnswer(question.do as Q["do"], value);
    } catch (error) {
      const known = error instanceof MigrationRefusal ? farError(error.body, 502) : error;
      if (!(known instanceof MigrationNonsense || known instanceof NonsenseError)) throw known;
      throw new ContractError("LinkedHostNonsense", { host: this.host.label, reason: known.message }, {
        cause: known,
      });
    }
  }

  /** The next answer. @throws {ConversationCut} if it takes too long */
  async #next(question: Question): Promise<IteratorResult<unknown, void>> {
    const coming = this.#answers.next(), limit = this.answerMs[question];
    const came = limit === undefined ? await coming : await new SharedTime(limit).of(question, coming);
    if (came !== undefined) return came;
    this.far.close(DONE);
    throw new ConversationCut("LinkedHostAway", {
      host: this.host.label,
      reason: "it did not answer in time",
    });
  }

  /** Sends a piece of a disk. @throws {ConversationCut} with what the other one said where it took no more */
  async send(piece: Uint8Array<ArrayBuffer>): Promise<void> {
    if (!await this.far.send(piece)) throw await this.#cut();
  }

  async #cut(): Promise<ContractError> {
    const said = await new SharedTime(REASON_MS).of("farewell", this.farewell);
    const { host } = this;
    if (said?.code === 1011 && said.reason !== "") {
      return new ContractError("ReplicationFailed", {
        error: message`${host.label} says: ${oneLine(said.reason, 200)}`,
      });
    }
    return new ConversationCut("LinkedHostAway", { host: host.label, reason: "the connection was cut" });
  }

  [Symbol.dispose](): void {
    this.far.close(DONE);
  }
}

/** HTTP statuses with which the WebSocket is refused → why, after the host's name. */
const REFUSALS: Readonly<Record<number, string | undefined>> = {
  403: "takes replicas from its administrators alone: link it with the role administrator",
  404: "has a KVM Manager that is too old. Update it",
};
