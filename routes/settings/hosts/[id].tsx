import { HttpError, page } from "fresh";
import { SettingsPage } from "../../../components/access/SettingsPage.tsx";
import { ConnectionFields } from "../../../components/host/ConnectionFields.tsx";
import { installHref } from "../../../components/host/InstallForm.tsx";
import { Panel } from "../../../components/kit/Panel.tsx";
import { sshDestination, sshLoginText } from "../../../lib/host/ssh_destination.ts";
import { hosts as texts } from "../../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { define } from "../../../lib/page_state.ts";
import { formHref } from "../../../lib/text/form_href.ts";
import { fail } from "../../(_shared)/fail.ts";
import { publicSshKey } from "../../(_shared)/ssh_key.ts";

const { t } = textsOf(texts);
const LIST = "/settings/hosts";

export const handler = define.handlers({
  async GET({ state, params }) {
    const [hosts, publicKey] = await Promise.all([state.api.listHosts(), publicSshKey(state.api)]).catch(
      fail,
    );
    const host = hosts.find(({ id, isLocal }) => id === params.id && !isLocal);
    if (host === undefined) throw new HttpError(404);
    state.subject = host.label;
    return page({ host, publicKey });
  },
});

/** A host's label and connection, to be changed. */
export default define.page<typeof handler>(function EditHost({ data: { host, publicKey }, state }) {
  const destination = sshDestination(host.uri);
  const { id: hostId } = host, here = `${LIST}/${encodeURIComponent(hostId)}`;
  return (
    <SettingsPage at={LIST} user={state.user}>
      <Panel title={t("hosts.edit_title")}>
        <form method="post" action={formHref("update_host", { hostId }, LIST, here)}>
          <div class="form-grid">
            <ConnectionFields
              command="update_host"
              refused={state.refused}
              label={host.label}
              uri={host.uri}
              username={host.username}
              publicKey={publicKey}
            />
          </div>
          <div class="form-actions">
            <button type="submit" class="button primary">{t("hosts.save")}</button>
            <a class="button" href={LIST}>{t("hosts.cancel")}</a>
          </div>
        </form>
        {destination !== undefined && (
          <p class="text-muted">
            {t("hosts.install_instead")}{" "}
            <a href={installHref(LIST, sshLoginText(destination))}>{t("hosts.install_there")}</a>
          </p>
        )}
      </Panel>
    </SettingsPage>
  );
});
