import CopyText from "../../islands/CopyText.tsx";
import type { Output, Peer } from "../../lib/contract/mod.ts";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { PageUser } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import { formatMoment } from "../../lib/text/time.ts";
import { OwnPassword } from "../access/OwnPassword.tsx";
import { DataTable } from "../kit/DataTable.tsx";
import { CheckField, TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";
import { RelativeTime } from "../kit/RelativeTime.tsx";
import { RowButton } from "../kit/RowButton.tsx";
import { RoleField } from "./RoleField.tsx";

const { t } = textsOf(texts);

/** Props of {@link PeersPanel}. */
export interface PeersPanelProps {
  peers: readonly Peer[];
  /** An invitation that was made just now: it is shown once. */
  made: Output<"invite_host"> | undefined;
  /** Values of a refused form. */
  typed: Readonly<Record<"role" | "minutes" | "address" | "both", string>> | undefined;
  user: PageUser | null;
  /** The page's own address. */
  at: string;
  /** Milliseconds since 1970. */
  now: number;
}

function MadeInvitation({ made }: { made: Output<"invite_host"> }) {
  const { invitation, expiresAt } = made;
  return (
    <div class="form-field wide" data-invitation>
      <span class="form-label">{t("hosts.invitation")}</span>
      <span class="copy-line">
        <code class="secret">{invitation}</code> <CopyText text={invitation} what={t("hosts.invitation")} />
      </span>
      <p class="form-hint">{t("hosts.invitation_made", { until: formatMoment(expiresAt) })}</p>
    </div>
  );
}

/** The KVM Managers that may act on this host, and an invitation for another one. */
export function PeersPanel({ peers, made, typed, user, at, now }: PeersPanelProps) {
  const nameOf = ({ name }: Peer) => oneLine(name, 60);
  return (
    <Panel title={t("hosts.peers")}>
      <p class="text-muted">{t("hosts.peers_what")}</p>
      <DataTable
        label={t("hosts.peers")}
        rows={peers}
        keyOf={({ id }) => id}
        empty={t("hosts.peers_none")}
        columns={[
          {
            title: t("hosts.name"),
            fit: "wrap",
            cell: (peer) => (
              <span class="stack">
                <bdi>{nameOf(peer)}</bdi>
                <span class="text-muted mono">{peer.key}</span>
              </span>
            ),
          },
          { title: t("hosts.role"), cell: ({ role }) => role },
          {
            title: t("hosts.peer_targets"),
            fit: "wrap",
            cell: ({ alertTargets }) =>
              alertTargets.length === 0 ? "–" : (
                <span class="stack">
                  <bdi>{oneLine(alertTargets.join(", "), 200)}</bdi>
                  <span class="text-muted">{t("hosts.peer_targets_stay")}</span>
                </span>
              ),
          },
          { title: t("hosts.invited_by"), cell: ({ invitedBy }) => oneLine(invitedBy, 60) },
          { title: t("hosts.since"), cell: ({ createdAt }) => <RelativeTime at={createdAt} now={now} /> },
          {
            title: t("hosts.used"),
            cell: ({ lastUsedAt }) => lastUsedAt === null ? "–" : <RelativeTime at={lastUsedAt} now={now} />,
          },
          {
            title: t("hosts.actions"),
            kind: "actions",
            cell: (peer) => (
              <div class="action-form">
                <RowButton
                  action={formHref("remove_peer", { peerId: peer.id }, at)}
                  text={t("hosts.revoke")}
                  label={t("hosts.revoke_named", { name: nameOf(peer) })}
                />
                {peer.alertTargets.length > 0 && (
                  <RowButton
                    action={formHref("remove_peer", { peerId: peer.id, deleteTargets: true }, at)}
                    text={t("hosts.revoke_targets")}
                    label={t("hosts.revoke_targets_named", { name: nameOf(peer) })}
                  />
                )}
              </div>
            ),
          },
        ]}
      />
      {made !== undefined && <MadeInvitation made={made} />}
      <form method="post">
        <div class="form-grid">
          <RoleField label={t("hosts.role")} value={typed?.role} />
          <TextField
            label={t("hosts.minutes")}
            name="minutes"
            type="number"
            min={1}
            max={1440}
            required
            defaultValue={typed?.minutes ?? "10"}
          />
          <TextField
            label={t("hosts.address")}
            name="address"
            hint={t("hosts.address_hint")}
            placeholder="https://kvm2:8006"
            defaultValue={typed?.address}
            maxLength={300}
          />
          <CheckField
            label={t("hosts.both_invite")}
            hint={t("hosts.both_hint")}
            name="both"
            value="true"
            checked={typed?.both === "true"}
          />
          <OwnPassword user={user} />
        </div>
        <div class="form-actions">
          <button type="submit" class="button">{t("hosts.invite")}</button>
        </div>
      </form>
    </Panel>
  );
}
