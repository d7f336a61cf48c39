import { cloudInitOf } from "../../../lib/vm/cloud_init/form_data.ts";
import { CloudInitFormBody } from "../cloud_init/CloudInitFormBody.tsx";
import { oneLine } from "../../../lib/text/text.ts";
import { Flash } from "../../kit/Flash.tsx";
import { CheckField } from "../../kit/Field.tsx";
import { Disclosure } from "../../kit/Disclosure.tsx";
import { type CreateProps, t } from "./props.ts";

/** Name of the box without which the fields of cloud-init mean nothing. */
export const USE_CLOUD_INIT = "useCloudInit";

const FIELD = "cloudInit";

/** User, host name, packages and network of a system that sets itself up at its first boot. */
export function CloudInitFields({ model }: CreateProps) {
  const wish = model.wish.value;
  const used = wish.cloudInit !== undefined;
  const nics = model.nics.value.map(({ network, bridge }) => ({ network: network ?? bridge ?? "" }));
  const found = model.check.value?.errors.find(({ field }) => field.startsWith(FIELD));
  const fault = found && { field: found.field.slice(FIELD.length + 1), message: found.message };
  const read = (event: Event & { currentTarget: HTMLElement }) => {
    const form = event.currentTarget.closest("form");
    if (form === null) return;
    const data = new FormData(form);
    model.setCloudInit(data.get(USE_CLOUD_INIT) === "yes" ? cloudInitOf(data) : undefined);
  };
  const again = model.passwordsAgain.value;
  return (
    <Disclosure title={t("create.cloud_init")} wrong={used && fault !== undefined} open={used}>
      {again.length > 0 && (
        <Flash tone="warn" title={t("create.password_again", { names: oneLine(again.join(", "), 100) })} />
      )}
      <Flash tone="warn" title={model.warning(FIELD)} />
      <div onInput={read} onChange={read}>
        <div class="form-grid">
          <CheckField
            wide
            name={USE_CLOUD_INIT}
            value="yes"
            label={t("create.cloud_init_use")}
            hint={t("create.cloud_init_hint")}
            key={model.restored.value}
            defaultChecked={used}
          />
        </div>
        {model.hasOwnKeys && (
          <p class="form-hint">
            {t("create.own_keys")} <a href="/settings/account">{t("create.own_keys_change")}</a>
          </p>
        )}
        <div class="create-cloud-init">
          <CloudInitFormBody
            key={model.restored.value}
            value={wish.cloudInit ?? null}
            nics={nics}
            fault={used ? fault : undefined}
            again={model.again.value}
          />
        </div>
      </div>
    </Disclosure>
  );
}
