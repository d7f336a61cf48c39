import TemplateNames from "../../islands/TemplateNames.tsx";
import type { TemplateVersion } from "../../lib/contract/mod.ts";
import type { RefusedForm } from "../../lib/text/refused_form.ts";
import { refusalAt, typedAgain } from "../../lib/text/refused_form.ts";
import { templates as texts } from "../../lib/i18n/en/templates.ts";
import { textsOf } from "../../lib/i18n/mod.ts";
import { CheckField, Field, SelectField, TextField } from "../kit/Field.tsx";
import { Flash } from "../kit/Flash.tsx";

const { t } = textsOf(texts);
const COMMAND = "create_vm_from_template";

/** Props of {@link CreateVmsForm}. */
export interface CreateVmsFormProps {
  versions: readonly TemplateVersion[];
  /** Pools that keep files. */
  pools: readonly string[];
  /** Initial values of the name and the number. */
  name: string;
  first: number;
  refused: RefusedForm | null;
}

/** The form that makes VMs of a template. */
export function CreateVmsForm({ versions, pools, name, first, refused }: CreateVmsFormProps) {
  const typed = typedAgain(refused, COMMAND);
  const at = (field: string) => refusalAt(refused, COMMAND, field);
  const isLinux = versions[0]?.osType === "linux";
  const nameError = at("name") ?? undefined;
  const hasPlace = ["name", "cloudInit.userData"].includes(refused?.field ?? "");
  return (
    <form method="post">
      <div class="form-grid">
        {refused?.command === COMMAND && !hasPlace && <Flash tone="bad" failure={refused.failure} />}
        <TemplateNames
          name={typed?.name ?? name}
          count={typed?.count ?? "1"}
          first={typed?.first ?? String(first)}
          {...nameError !== undefined && { error: nameError }}
        />
        <SelectField
          label={t("templates.kind")}
          name="linked"
          value={typed?.linked ?? "true"}
          choices={[
            { value: "true", label: t("templates.linked") },
            { value: "false", label: t("templates.full") },
          ]}
        />
        <SelectField
          label={t("templates.version")}
          name="version"
          value={typed?.version ?? ""}
          choices={versions.map(({ version }, index) => ({
            value: index === 0 ? "" : String(version),
            label: t(index === 0 ? "templates.newest" : "templates.version_of", { version }),
          }))}
        />
        <SelectField
          label={t("templates.pool")}
          name="pool"
          value={typed?.pool ?? ""}
          choices={[
            { value: "", label: t("templates.pool_template") },
            ...pools.map((pool) => ({ value: pool, label: pool })),
          ]}
        />
        <CheckField
          label={t("templates.start")}
          name="start"
          value="true"
          defaultChecked={typed?.start === "true"}
          wide
        />
        <CheckField
          label={t("templates.cloud_init")}
          hint={t("templates.cloud_init_hint")}
          name="cloudInit"
          value="yes"
          defaultChecked={typed === undefined ? isLinux : typed.cloudInit === "yes"}
          wide
        />
        <div class="template-cloud-init wide">
          <TextField
            label={t("templates.user")}
            hint={t("templates.user_hint")}
            name="user"
            maxLength={32}
            defaultValue={typed?.user ?? ""}
          />
          <TextField
            label={t("templates.ssh_key")}
            name="sshKey"
            maxLength={16_384}
            defaultValue={typed?.sshKey ?? ""}
          />
          <Field
            label={t("templates.user_data")}
            hint={t("templates.user_data_hint")}
            error={at("cloudInit.userData")}
            wide
            control={(ties) => (
              <textarea class="input mono" name="userData" rows={4} spellcheck={false} {...ties} />
            )}
          />
        </div>
      </div>
      <div class="form-actions">
        <button type="submit" class="button primary">{t("templates.create")}</button>
      </div>
    </form>
  );
}
