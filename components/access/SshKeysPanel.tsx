import { formHref } from "../../lib/text/form_href.ts";
import { refusalAt, type RefusedForm, typedAgain } from "../../lib/text/refused_form.ts";
import { access } from "../../lib/i18n/en/access.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { Field } from "../kit/Field.tsx";
import { Panel } from "../kit/Panel.tsx";

const { t } = textsOf(access);
const COMMAND = "set_ssh_keys", AT = "/settings/account";

/** The SSH public keys that one's new VMs begin with. */
export function SshKeysPanel({ keys, refused }: { keys: readonly string[]; refused: RefusedForm | null }) {
  return (
    <Panel title={t("access.ssh_keys")}>
      <form method="post" action={formHref(COMMAND, {}, AT)}>
        <div class="form-grid">
          <Field
            wide
            label={t("access.ssh_keys")}
            hint={t("access.ssh_keys_hint")}
            error={refusalAt(refused, COMMAND, "sshKeys")}
            control={(ties) => (
              <textarea
                class="input text-area"
                name="sshKeys"
                rows={3}
                wrap="off"
                autocomplete="off"
                spellcheck={false}
                defaultValue={typedAgain(refused, COMMAND)?.sshKeys ?? keys.join("\n")}
                {...ties}
              />
            )}
          />
        </div>
        <div class="form-actions">
          <button type="submit" class="button">{t("access.ssh_keys_save")}</button>
        </div>
      </form>
    </Panel>
  );
}
