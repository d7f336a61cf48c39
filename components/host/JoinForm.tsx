import { hosts as texts } from "../../lib/i18n/en/hosts.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import type { PageUser } from "../../lib/page_state.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { CheckField, TextField } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";
import { OwnPassword } from "../access/OwnPassword.tsx";
import { RoleField } from "./RoleField.tsx";
import { HostLabelField, HostNameField } from "./HostNameField.tsx";

const { t } = textsOf(texts);
const COMMAND = "join_host";

/** Links a host that has a KVM Manager of its own. @param at the page that the answer leads to */
export function JoinForm(
  { refused, user, at }: { refused: RefusedForm | null; user: PageUser | null; at: string },
) {
  const typed = typedAgain(refused, COMMAND), errorAt = (field: string) => refusalAt(refused, COMMAND, field);
  return (
    <Panel title={t("hosts.join")}>
      <p class="text-muted">{t("hosts.join_what")}</p>
      <form method="post" action={formHref(COMMAND, {}, at)}>
        <div class="form-grid">
          <HostNameField value={typed?.name} error={errorAt("name")} />
          <HostLabelField value={typed?.label} error={errorAt("label")} />
          <TextField
            label={t("hosts.invitation")}
            name="invitation"
            hint={t("hosts.invitation_hint")}
            placeholder="https://kvm2:8006#join/…"
            defaultValue={typed?.invitation}
            error={errorAt("invitation")}
            required
            wide
            maxLength={700}
          />
          <CheckField
            label={t("hosts.both_join")}
            hint={t("hosts.both_hint")}
            name="both"
            value="true"
            checked={typed?.both === "true"}
          />
          <RoleField label={t("hosts.role_there")} value={typed?.role} />
          <TextField
            label={t("hosts.address")}
            name="address"
            hint={t("hosts.address_join_hint")}
            placeholder="https://kvm1:8006"
            defaultValue={typed?.address}
            error={errorAt("address")}
            maxLength={300}
          />
          <OwnPassword user={user} optional={t("hosts.own_password")} />
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("hosts.join_do")}</button>
        </div>
      </form>
    </Panel>
  );
}
