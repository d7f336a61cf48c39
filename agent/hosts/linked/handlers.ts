/** The commands that link hosts: invitations, who may act here, and joining. */
import { ContractError, type hostListCommands, type Input } from "../../../lib/contract/mod.ts";
import { MINUTE_MS } from "../../../lib/duration.ts";
import { invitationText, linkAddress, readInvitation } from "../../../lib/host/link_protocol.ts";
import { isAnyAddress, isLoopback, parseListen } from "../../../lib/network/listen_address.ts";
import type { Principal } from "../../access.ts";
import type { Clock } from "../../clock.ts";
import type { Handlers } from "../../dispatch.ts";
import type { EventHub } from "../../events/hub.ts";
import type { StoredHost } from "../records.ts";
import { requireNewHost } from "../require_new.ts";
import type { Provided } from "../../provided.ts";
import { hostStatus, type ListedHosts } from "../statuses.ts";
import { connectionFault, PeerConnection } from "./peer_connection.ts";
import type { PeerTargets } from "./peer_targets.ts";
import type { Peers } from "./peers.ts";
import type { Sentence } from "../../../lib/i18n/message.ts";

export type LinkCommand = Extract<
  keyof typeof hostListCommands,
  "invite_host" | "join_host" | "list_peers" | "remove_peer"
>;

/** Services for the commands that link hosts: peers, the clock, our addresses, events, and storing of a host. */
export interface LinkManagement extends ListedHosts {
  readonly peers: Peers;
  readonly clock: Clock;
  /** Addresses of this KVM Manager for its users, and whether they are served by TLS; undefined until known. */
  readonly doors:
    | { readonly addresses: readonly string[]; readonly certificates: object | undefined }
    | undefined;
  readonly hub: Pick<EventHub, "publish">;
  readonly peerTargets: Pick<Provided<PeerTargets>, "get">;
  putHost(host: StoredHost, check?: () => void): Promise<void>;
  /** Asks for a fresh proof of who calls. @throws {ContractError} PasswordNeeded */
  requireConfirmed(principal: Principal): Promise<void>;
}

/** How this host is reached from others, where no address is given: the page's own, else its name with the first port with TLS. */
function ownAddress({ doors }: LinkManagement, { origin }: Principal): string {
  const refused = (address: string, reason: Sentence) =>
    new ContractError("LinkAddressRefused", { address, reason });
  if (doors?.certificates === undefined) {
    throw refused(
      doors?.addresses[0] ?? "this KVM Manager",
      "it has no TLS. Start it with --listen https://0.0.0.0:8006",
    );
  }
  const listening = doors.addresses.map((address) => ({ address, ...parseListen(address) })).filter((
    { secure },
  ) => secure);
  const reached =
    origin !== undefined && linkAddress(origin) !== undefined && !isLoopback(new URL(origin).hostname)
      ? linkAddress(origin)
      : undefined;
  if (reached !== undefined) return reached;
  const open = listening.find(({ hostname }) => isAnyAddress(hostname)) ??
    listening.find(({ hostname }) => !isLoopback(hostname));
  if (open === undefined) {
    throw refused(
      listening[0]!.address,
      "it is reached from this host alone. Start it with --listen https://0.0.0.0:8006, or give the address of a tunnel",
    );
  }
  return `https://${
    isAnyAddress(open.hostname) ? Deno.hostname() : new URL(open.address).hostname
  }:${open.port}`;
}

/** A handler for each of them. */
export function linkHandlers(app: LinkManagement): Pick<Handlers, LinkCommand> {
  const { peers, hosts, hub } = app;
  /** Makes an invitation. @throws {ContractError} LinkAddressRefused, TooManyRequests */
  const invite = async (
    principal: Principal,
    { role = "administrator", minutes = 10, ...wanted }: Input<"invite_host">,
  ) => {
    const address = wanted.address === undefined ? ownAddress(app, principal) : linkAddress(wanted.address);
    if (address === undefined) {
      throw new ContractError("LinkAddressRefused", {
        address: wanted.address!.slice(0, 100),
        reason: "it is not like https://kvm2:8006",
      });
    }
    const { publicKey } = await peers.identity.ready(), ms = minutes * MINUTE_MS;
    const secret = peers.invitations.make(role, principal.name, ms, wanted.both);
    const invitation = invitationText({ address, publicKey, secret });
    return { invitation, address, role, expiresAt: app.clock.now() + ms };
  };
  return {
    invite_host: (input, { principal }) => invite(principal, input),
    join_host: async ({ name, invitation: line, label = name, both = false, ...own }, { principal }) => {
      const invitation = readInvitation(line);
      if (invitation === undefined) throw new ContractError("InvitationUnreadable");
      const { address: uri, publicKey: peerKey, secret } = invitation;
      requireNewHost(app, name, uri);
      const { publicKey } = await peers.identity.ready();
      if (publicKey === peerKey) throw new ContractError("HostExists", { host: hosts.local.label });
      if (both) await app.requireConfirmed(principal);
      const back = both ? (await invite(principal, own)).invitation : undefined;
      const peer = new PeerConnection({ address: uri, publicKey: peerKey }, peers.identity, app.clock);
      try {
        await peer.join(secret, back);
      } catch (error) {
        if (error instanceof ContractError) throw error;
        throw new ContractError("LinkFailed", { address: uri, reason: connectionFault(error) }, {
          cause: error,
        });
      } finally {
        peer.close();
      }
      const added = { id: name, label, uri, peerKey, added: app.clock.now(), isEnabled: true };
      await app.putHost(added, () => requireNewHost(app, name, uri));
      await app.linked.served(name)?.settled();
      return hostStatus(app, name, principal);
    },
    list_peers: () =>
      peers.records.all().map(({ id, name, role, publicKey: key, invitedBy, created: createdAt }) => ({
        id,
        name,
        role,
        key,
        invitedBy,
        createdAt,
        lastUsedAt: peers.lastUsed(id) ?? null,
        alertTargets: app.peerTargets.get().names(id),
      })),
    remove_peer: ({ peerId, deleteTargets = false }) => {
      const targets = app.peerTargets.get(), names = targets.names(peerId);
      // First: what is deleted could be made again
      peers.revoke(peerId);
      hub.publish("hosts-changed", {});
      if (deleteTargets) targets.remove(peerId);
      return deleteTargets
        ? { deletedTargets: names, keptTargets: [] }
        : { deletedTargets: [], keptTargets: names };
    },
  };
}
