import { page } from "fresh";
import { SettingsPage } from "../../components/access/SettingsPage.tsx";
import { DataTable } from "../../components/kit/DataTable.tsx";
import { Panel } from "../../components/kit/Panel.tsx";
import { RelativeTime } from "../../components/kit/RelativeTime.tsx";
import { RowButton } from "../../components/kit/RowButton.tsx";
import type { Credential, CredentialUse } from "../../lib/contract/mod.ts";
import { credentials as texts } from "../../lib/i18n/en/credentials.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { define } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { oneLine } from "../../lib/text/text.ts";
import { fail } from "../(_shared)/fail.ts";

const { t, plural } = textsOf(texts);
const AT = "/settings/credentials", ROTATE = "rotate_credential";
/** Uses of one credential that are named. */
const NAMED = 8;
const KINDS: Readonly<Record<Credential["kind"], PlainKeyOf<typeof texts>>> = {
  "encryption-key": "credentials.kind.encryption_key",
  "link-key": "credentials.kind.link_key",
  "ssh-key": "credentials.kind.ssh_key",
  "tls-certificate": "credentials.kind.tls_certificate",
  "host-password": "credentials.kind.host_password",
  "alert-target": "credentials.kind.alert_target",
  "backup-target": "credentials.kind.backup_target",
  "metrics-push": "credentials.kind.metrics_push",
};
/** Kinds that there can be several of. */
const NAMED_KINDS: ReadonlySet<Credential["kind"]> = new Set([
  ...["alert-target", "backup-target", "host-password", "metrics-push"] as const,
]);
/** Those of which more is said than their name. */
const USES: Partial<Record<CredentialUse["kind"], "credentials.use.host" | "credentials.use.peer">> = {
  host: "credentials.use.host",
  peer: "credentials.use.peer",
};

export const handler = define.handlers({
  async GET({ state }) {
    return page({ rows: await state.api.listCredentials().catch(fail), now: Date.now() });
  },
});

const kindOf = ({ kind }: Credential) => t(KINDS[kind]);

function useText({ kind, name }: CredentialUse): string {
  const shown = oneLine(name, 100), text = USES[kind];
  return text === undefined ? shown : t(text, { name: shown });
}

function Name({ credential }: { credential: Credential }) {
  const { name, publicKey, kind } = credential;
  const isNamed = NAMED_KINDS.has(kind);
  return (
    <span class="stack">
      <span>{kindOf(credential)}</span>
      {isNamed && <bdi>{oneLine(name, 60)}</bdi>}
      {publicKey !== null && <span class="text-muted mono">{publicKey}</span>}
    </span>
  );
}

function Uses({ credential: { uses, faults }, now }: { credential: Credential; now: number }) {
  if (uses.length === 0) return <span class="text-muted">{t("credentials.unused")}</span>;
  return (
    <span class="stack">
      {uses.slice(0, NAMED).map((use) => (
        <span key={`${use.kind} ${use.name}`}>
          <bdi>{useText(use)}</bdi>
          {use.usedAt !== null && (
            <>
              {" "}
              <RelativeTime at={use.usedAt} now={now} />
            </>
          )}
        </span>
      ))}
      {uses.length > NAMED && <span>{plural("credentials.more", uses.length - NAMED)}</span>}
      {faults.map(({ host, reason }) => (
        <span key={host} class="error-text">
          {t("credentials.fault", { host: oneLine(host, 60), reason: oneLine(reason, 300) })}
        </span>
      ))}
    </span>
  );
}

/** A replacement of the SSH key that hosts refused, once more. */
function RotateAnyway({ refused }: { refused: RefusedForm | null }) {
  if (refused?.command !== ROTATE || refused.failure.code !== "SshKeyNotRotated") return null;
  return (
    <form method="post" action={formHref(ROTATE, { credentialId: "ssh-key", force: true }, AT)}>
      <button type="submit" class="button danger">{t("credentials.rotate_anyway")}</button>
    </form>
  );
}

/** Keys, certificates and passwords of KVM Manager: where they are, since when, and what uses them. */
export default define.page<typeof handler>(function Credentials({ data: { rows, now }, state }) {
  return (
    <SettingsPage at={AT} user={state.user}>
      <Panel title={t("credentials.title")}>
        <p class="text-muted">{t("credentials.what")}</p>
        <RotateAnyway refused={state.refused} />
        <DataTable
          label={t("credentials.title")}
          rows={rows}
          keyOf={({ id }) => id}
          attributesOf={({ id }) => ({ "data-credential": id })}
          columns={[
            {
              title: t("credentials.name"),
              fit: "wrap",
              cell: (credential) => <Name credential={credential} />,
            },
            {
              title: t("credentials.uses"),
              fit: "wrap",
              cell: (credential) => <Uses credential={credential} now={now} />,
            },
            {
              title: t("credentials.since"),
              cell: ({ since }) => since === null ? "–" : <RelativeTime at={since} now={now} />,
            },
            {
              title: t("credentials.place"),
              fit: "wrap",
              cell: ({ place }) => <span class="mono">{place}</span>,
            },
            {
              title: t("credentials.actions"),
              kind: "actions",
              cell: (credential) =>
                credential.rotatable && (
                  <RowButton
                    action={formHref(ROTATE, { credentialId: credential.id }, AT)}
                    text={t("credentials.rotate")}
                    label={t("credentials.rotate_named", { name: kindOf(credential) })}
                  />
                ),
            },
          ]}
        />
      </Panel>
    </SettingsPage>
  );
});
