import { useSignal } from "@preact/signals";
import { PREFIX } from "../../../lib/vm/cloud_init/form_data.ts";
import { MOST_USERS } from "../../../lib/contract/cloud_init_bounds.ts";
import type { CloudInitUser } from "../../../lib/contract/mod.ts";
import { cloudInit } from "../../../lib/i18n/en/cloud_init.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { CloudInitLine, type FormFault, Lines } from "./CloudInitField.tsx";
import { SelectField } from "../../kit/Field.tsx";
import { Icon } from "../../kit/Icon.tsx";

const { t } = textsOf(cloudInit);

const sudoChoices = () => [
  { value: "none", label: t("cloud_init.sudo_none") },
  { value: "password", label: t("cloud_init.sudo_password") },
  { value: "nopasswd", label: t("cloud_init.sudo_nopasswd") },
];

/** A user in the making: its row keeps what is typed when another row goes. */
interface Row {
  readonly id: number;
  readonly user: CloudInitUser | undefined;
  /** Its password was typed, and the form refused. */
  readonly again: boolean;
}

function User(
  { at, user, again, fault }: Pick<Row, "user" | "again"> & { at: string; fault: FormFault | undefined },
) {
  const hasPassword = user?.passwordHash !== undefined;
  return (
    <div class="form-grid">
      <CloudInitLine at={`${at}.name`} label={t("cloud_init.name")} value={user?.name} fault={fault} />
      <CloudInitLine
        at={`${at}.fullName`}
        label={t("cloud_init.full_name")}
        value={user?.fullName}
        fault={fault}
      />
      <CloudInitLine
        at={`${at}.password`}
        type="password"
        label={t("cloud_init.password")}
        hint={hasPassword ? t("cloud_init.password_kept") : t("cloud_init.password_hint")}
        again={again}
        fault={fault}
      />
      {hasPassword && <input type="hidden" name={`${PREFIX}${at}.keep`} value="yes" />}
      <SelectField
        label={t("cloud_init.sudo")}
        name={`${PREFIX}${at}.sudo`}
        choices={sudoChoices()}
        value={user === undefined ? "nopasswd" : user.sudo ?? "none"}
      />
      <CloudInitLine
        at={`${at}.shell`}
        label={t("cloud_init.shell")}
        value={user?.shell}
        placeholder="/bin/bash"
        fault={fault}
      />
      <CloudInitLine
        at={`${at}.groups`}
        label={t("cloud_init.groups")}
        value={user?.groups?.join(" ")}
        fault={fault}
      />
      <Lines
        at={`${at}.sshKeys`}
        wide
        rows={2}
        label={t("cloud_init.keys")}
        hint={t("cloud_init.keys_hint")}
        value={user?.sshKeys}
        fault={fault}
      />
    </div>
  );
}

/** The users of the form. Without script there is a row for one more than there are. */
export function CloudInitUsers(
  { users, again, fault }: {
    users: readonly CloudInitUser[];
    /** Places in the list of those whose password was typed into a form without script that came back. */
    again: readonly number[];
    fault: FormFault | undefined;
  },
) {
  const rows = useSignal<readonly Row[]>(
    [...users, ...(users.length === 0 ? [undefined] : [])].map((user, id) => ({
      id,
      user,
      again: again.includes(id),
    })),
  );
  const add = () => {
    rows.value = [...rows.value, {
      id: Math.max(-1, ...rows.value.map(({ id }) => id)) + 1,
      user: undefined,
      again: false,
    }];
  };
  const remove = (id: number) => {
    rows.value = rows.value.filter((row) => row.id !== id);
  };
  return (
    <fieldset class="cloud-part">
      <legend>{t("cloud_init.users")}</legend>
      {rows.value.map(({ id, user, again }, index) => (
        <div key={id} class="cloud-row" role="group" aria-label={t("cloud_init.user", { n: index + 1 })}>
          <User at={`form.users.${index}`} user={user} again={again} fault={fault} />
          <button
            type="button"
            class="icon-button small needs-script"
            onClick={() =>
              remove(id)}
            aria-label={t("cloud_init.remove_user", { n: index + 1 })}
            title={t("cloud_init.remove_user", { n: index + 1 })}
          >
            <Icon name="trash" />
          </button>
        </div>
      ))}
      <div class="form-actions">
        <button
          type="button"
          class="button needs-script"
          onClick={add}
          disabled={rows.value.length >= MOST_USERS}
        >
          {t("cloud_init.add_user")}
        </button>
      </div>
    </fieldset>
  );
}
