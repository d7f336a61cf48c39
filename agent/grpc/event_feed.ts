/** Events on a call: resumable by id, bounded for clients that do not read. */
import type { Buffer } from "node:buffer";
import { ContractError } from "../../lib/contract/errors.ts";
import { type EventName, EVENTS } from "../../lib/contract/events.ts";
import { EventView } from "../../lib/access/filter_output.ts";
import { seesVm } from "../../lib/access/viewer.ts";
import { isAdministrator } from "../../lib/access/rights.ts";
import type { VM } from "../../lib/contract/mod.ts";
import { eventField } from "../../lib/grpc/contract_file.ts";
import { locale } from "../../lib/i18n/locale.ts";
import { message, rendered } from "../../lib/i18n/message.ts";
import { type AccessWorld, isEmptyToken, viewerOf } from "../access/authorise.ts";
import { accountOf, type Principal } from "../access.ts";
import { type EventHub, lengthOf, missedEvent, type Published } from "../events/hub.ts";
import { withLocale } from "../i18n/request_locale.ts";
import { FairPlaces, type Place } from "../http/fair_places.ts";
import { MOST_OF_ONE, MOST_STREAMS } from "../http/event_stream.ts";
import type { OutgoingMessages } from "./outgoing.ts";

/** Bytes that a client may be behind. Beyond, its stream is ended: it comes back with the last id that it has read. */
const BEHIND_LIMIT = 1024 * 1024;
/** Bytes that it may be behind and still gets figures: the next ones replace them. */
const FIGURES_LIMIT = BEHIND_LIMIT / 4;
/** Characters of what was missed that are sent again. Beyond, the client reads everything again: that is less. */
const MISSED_LIMIT = BEHIND_LIMIT / 2;

/** A client's request for events. */
export interface FeedRequest {
  readonly since?: string | undefined;
  /** Figures: with all else, alone, or not. */
  readonly figures: "on" | "off" | "only";
  /** These events alone; all when it is empty. */
  readonly names: readonly string[];
  /** Figures of these VMs alone; all when it is empty. */
  readonly vmIds: readonly string[];
}

interface FeedWorld {
  readonly hub: EventHub;
  readonly vms: () => readonly VM[];
  readonly places: Pick<AccessWorld, "vm" | "vmsOn">;
}

interface OpenFeed extends Place {
  end(error: ContractError): void;
}

/** The feeds of everybody who comes by gRPC. */
export class EventFeeds {
  readonly #places = new FairPlaces<OpenFeed>(MOST_STREAMS);

  constructor(private readonly world: FeedWorld) {}

  /**
   * Sends events until the client goes, or may not have them any more.
   *
   * @param write an event as a message
   * @throws {ContractError} Forbidden, InvalidInput, TooManyRequests, NotSignedIn, StreamNotRead
   */
  async serve(
    { since, figures, names, vmIds }: FeedRequest,
    { principal, outgoing, write }: {
      readonly principal: Principal;
      readonly outgoing: OutgoingMessages;
      readonly write: (event: Readonly<Record<string, unknown>>) => Buffer;
    },
  ): Promise<void> {
    const { hub } = this.world;
    // What it tells can be asked for by commands, which such a token may not call
    if (isEmptyToken(principal)) throw new ContractError("Forbidden", { role: "viewer" });
    if (principal.ended.aborted) throw new ContractError("NotSignedIn");
    const unknown = names.find((name) => !Object.hasOwn(EVENTS, name));
    if (unknown !== undefined) {
      throw new ContractError("InvalidInput", {
        reason: message`there is no event ${unknown.slice(0, 64)}`,
        field: "names",
      });
    }
    const over = Promise.withResolvers<void>();
    const place: OpenFeed = { standing: 1, end: (error) => over.reject(error) };
    const who = accountOf(principal), loser = this.#places.enter(place, who, MOST_OF_ONE);
    const tooMany = () =>
      new ContractError("TooManyRequests", { what: "event streams of this account", limit: MOST_OF_ONE });
    if (loser === place) throw tooMany();
    loser?.end(tooMany());
    using stack = new DisposableStack();
    stack.defer(() => this.#places.leave(place));
    const hold = principal.hold?.();
    if (hold !== undefined) stack.use(hold);
    const view = isAdministrator(principal.rights) ? undefined : this.#view(principal);
    const isWanted = (name: EventName, data: object) => {
      const { kept } = EVENTS[name];
      if (figures !== "on" && kept !== (figures === "off") && name !== "reload") return false;
      if (names.length > 0 && !names.includes(name) && name !== "reload") return false;
      const { vmId } = data as { vmId?: string };
      return kept || vmIds.length === 0 || (vmId !== undefined && vmIds.includes(vmId));
    };
    const language = locale(); // events are told out of the call of whoever causes them
    const send = (event: Published, id: string | undefined) => {
      const shown = view === undefined ? event : view.shown(event);
      if (shown === null || !isWanted(shown[0], shown[1])) return;
      if (!EVENTS[shown[0]].kept && outgoing.unsent > FIGURES_LIMIT) return;
      const data = withLocale(language, () => rendered(shown[1]));
      void outgoing.send(write({ ...(id !== undefined && { id }), [eventField(shown[0])]: data }));
      if (outgoing.unsent > BEHIND_LIMIT) {
        over.reject(new ContractError("StreamNotRead", { limit: BEHIND_LIMIT }));
      }
    };
    const ended = () => over.reject(new ContractError("NotSignedIn"));
    const gone = () => over.resolve();
    principal.ended.addEventListener("abort", ended, { once: true });
    stack.defer(() => principal.ended.removeEventListener("abort", ended));
    outgoing.gone.addEventListener("abort", gone, { once: true });
    if (outgoing.gone.aborted) return;
    stack.use(hub.listen((_frames, told) => {
      for (const { event, id } of told) send(event, id);
    }, { watches: figures !== "off" }));
    if (since !== undefined && since !== "") {
      const missed = hub.since(since);
      // What somebody may see is judged when it happens: of what is past, VMs may be gone by now
      if (missed === null || lengthOf(missed) > MISSED_LIMIT || (view !== undefined && missed.length > 0)) {
        send(["reload", { reason: "too much happened since" }] as unknown as Published, undefined);
      } else for (const each of missed) send(missedEvent(each), each.id);
    }
    await over.promise;
  }

  #view(principal: Principal): EventView {
    const { vms, places } = this.world, viewer = viewerOf(principal, places);
    return new EventView(viewer, vms().filter(({ id }) => seesVm(viewer, id)).map(({ id }) => id), vms);
  }
}
