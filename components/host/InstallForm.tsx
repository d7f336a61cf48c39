import { readSshLogin } from "../../lib/host/ssh_destination.ts";
import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";
import { HostKeyField } from "./HostKeyField.tsx";
import { HostLabelField, HostNameField } from "./HostNameField.tsx";
import { RoleField } from "./RoleField.tsx";

const { t } = textsOf(texts);
const COMMAND = "install_host";

/** Id of the form on its page, and the name in the page's address of what it begins with. */
const INSTALL_FORM = "install";

/** The form for a user and a host. @param at its page */
export const installHref = (at: string, destination: string): string =>
  `${at}?${new URLSearchParams({ [INSTALL_FORM]: destination })}#${INSTALL_FORM}`;

/** Initial destination of the form, in the page's address; undefined without a valid one. */
export function installDestination({ searchParams }: URL): string | undefined {
  const given = searchParams.get(INSTALL_FORM);
  return given !== null && readSshLogin(given) !== undefined ? given : undefined;
}

/**
 * Installs KVM Manager on a host by SSH, and links it.
 *
 * @param at the page that it is on
 * @param destination what the field begins with
 */
export function InstallForm(
  { refused, at, destination }: { refused: RefusedForm | null; at: string; destination: string | undefined },
) {
  const typed = typedAgain(refused, COMMAND), errorAt = (field: string) => refusalAt(refused, COMMAND, field);
  return (
    <Panel title={t("hosts.install")}>
      <p class="text-muted">{t("hosts.install_what")}</p>
      <form id={INSTALL_FORM} method="post" action={formHref(COMMAND, {}, "/{task}", at)}>
        <div class="form-grid">
          <HostNameField value={typed?.name} error={errorAt("name")} />
          <HostLabelField value={typed?.label} error={errorAt("label")} />
          <TextField
            label={t("hosts.destination")}
            name="destination"
            hint={t("hosts.destination_hint")}
            defaultValue={typed?.destination ?? destination}
            error={errorAt("destination")}
            required
            maxLength={330}
            placeholder="root@kvm2"
          />
          <TextField
            label={t("hosts.port")}
            name="port"
            type="number"
            hint={t("hosts.port_hint")}
            defaultValue={typed?.port}
            error={errorAt("port")}
            min={1}
            max={65_535}
            placeholder="8006"
          />
          <HostKeyField command={COMMAND} refused={refused} />
          <TextField
            label={t("hosts.install_password")}
            name="password"
            type="password"
            autocomplete="off"
            hint={t("hosts.install_password_hint")}
            error={errorAt("password")}
            again={refused?.command === COMMAND && refused.withheld.includes("password")}
            maxLength={1024}
          />
          <RoleField label={t("hosts.role")} hint={t("hosts.install_role_hint")} value={typed?.role} />
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("hosts.install_do")}</button>
        </div>
      </form>
    </Panel>
  );
}
