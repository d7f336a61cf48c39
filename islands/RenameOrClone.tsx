import { leave } from "../lib/client/toasts.ts";
import { useSignal } from "@preact/signals";
import { SelectField, TextField } from "../components/kit/Field.tsx";
import { ManageForm, NAME_CODES } from "../components/vm/ManageForm.tsx";
import { api } from "../lib/client/api.ts";
import { answerWarnings } from "../lib/text/notice.ts";
import { type Failure, failureOf } from "../lib/text/failure.ts";
import { oneLine } from "../lib/text/text.ts";
import { cloneInput, type CloneRequest, cloneWishIn } from "../lib/vm/clone_form.ts";
import { manage } from "../lib/i18n/en/manage.ts";
import { type PlainKeyOf, textsOf } from "../lib/i18n/mod.ts";

const { t } = textsOf(manage);

type Text = PlainKeyOf<typeof manage>;

/** Kind → its words, and the call; gives the VM to go to. */
const KINDS = {
  rename: {
    title: "manage.rename_title",
    what: "manage.rename_what",
    submit: "manage.rename_do",
    doing: "manage.rename_doing",
    call: async (vmId: string, name: string) => {
      await api.renameVm({ vmId, name });
      return { vmId };
    },
  },
  clone: {
    title: "manage.clone_title",
    what: "manage.clone_what",
    submit: "manage.clone_do",
    doing: "manage.clone_doing",
    call: (vmId: string, name: string, wish: CloneRequest) =>
      api.cloneVm({ vmId, name, ...cloneInput(wish) }),
  },
} as const satisfies Record<string, { what: Text; submit: Text; doing: Text } & Record<string, unknown>>;

/** Props of {@link RenameOrClone}. */
export interface RenameOrCloneProps {
  kind: keyof typeof KINDS;
  vmId: string;
  vmName: string;
  /** Initial value of the name's field. */
  name: string;
  linked: boolean;
  /** It runs, or is paused: its disks are being written to. */
  isLive?: boolean;
  /** Snapshots that a copy can be made of, and the one that is chosen; empty: as the VM is now. */
  snapshots?: readonly string[];
  snapshot?: string;
  /** Choice for the copy's TPM; left out if the VM has none to copy. */
  tpm?: CloneRequest["tpm"];
  /** Why a plain form's try failed. */
  failure: Failure | null;
}

/** A choice of which each has a sentence. */
function Choices({ legend, name, value: chosen, choices }: {
  legend: string;
  name: string;
  value: string;
  choices: readonly {
    readonly value: string;
    readonly label: string;
    readonly what: string;
    readonly isOff?: boolean;
  }[];
}) {
  return (
    <fieldset class="choices">
      <legend>{legend}</legend>
      {choices.map(({ value, label, what, isOff }) => (
        <label key={value} class="check">
          <input type="radio" name={name} value={value} checked={value === chosen} disabled={isOff} />
          <span>
            <strong>{label}</strong>
            <span class="form-hint">{what}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}

const diskChoices = (isLive: boolean) => [
  { value: "full", label: t("manage.clone_full"), what: t("manage.clone_full_what") },
  {
    value: "linked",
    label: t("manage.clone_linked"),
    what: t(isLive ? "manage.clone_linked_live" : "manage.clone_linked_what"),
    isOff: isLive,
  },
];
const tpmChoices = () => [
  { value: "copy", label: t("manage.clone_tpm_copy"), what: t("manage.clone_tpm_copy_what") },
  { value: "new", label: t("manage.clone_tpm_new"), what: t("manage.clone_tpm_new_what") },
];

/** Renaming a VM, or making a copy of it under another name. A plain form without script. */
export default function RenameOrClone(props: RenameOrCloneProps) {
  const { vmId, kind, isLive = false } = props;
  // The images that snapshots are in are being written to.
  const snapshots = isLive ? [] : props.snapshots ?? [];
  const { title, what, submit, doing, call } = KINDS[kind];
  const failure = useSignal(props.failure);
  const isBusy = useSignal(false);
  const here = `/vms/${encodeURIComponent(vmId)}`;
  const onSubmit = async (form: HTMLFormElement) => {
    const data = new FormData(form);
    failure.value = null;
    isBusy.value = true;
    try {
      const name = String(data.get("name"));
      const made = await call(vmId, name, cloneWishIn(data));
      leave(`/vms/${encodeURIComponent(made.vmId)}`, {
        word: `${kind}_vm`,
        name,
        warnings: answerWarnings(made),
      });
    } catch (error) {
      failure.value = failureOf(error);
      isBusy.value = false;
      form.querySelector<HTMLInputElement>('[name="name"]')?.focus();
    }
  };
  const atName = failure.value && NAME_CODES.has(failure.value.code) ? failure.value.why : undefined;
  return (
    <ManageForm
      title={t(title, { name: oneLine(props.vmName, 60) })}
      what={kind === "clone" && isLive ? `${t("manage.clone_live")} ${t(what)}` : t(what)}
      submit={t(submit)}
      doing={isBusy.value ? t(doing) : null}
      failure={failure.value}
      cancel={here}
      onSubmit={onSubmit}
    >
      <TextField
        label={t("manage.name")}
        hint={t("manage.name_hint")}
        error={atName}
        name="name"
        defaultValue={props.name}
        required
        maxLength={64}
        pattern="[A-Za-z_\-][A-Za-z0-9_\-]*"
        title={t("manage.name_hint")}
      />
      {kind === "clone" && (
        <Choices
          legend={t("manage.clone_kind")}
          name="disks"
          value={props.linked && !isLive ? "linked" : "full"}
          choices={diskChoices(isLive)}
        />
      )}
      {kind === "clone" && props.tpm !== undefined && (
        <Choices legend={t("manage.clone_tpm")} name="tpm" value={props.tpm} choices={tpmChoices()} />
      )}
      {kind === "clone" && snapshots.length > 0 && (
        <SelectField
          label={t("manage.clone_of")}
          hint={t("manage.clone_of_hint")}
          name="snapshot"
          value={props.snapshot ?? ""}
          choices={[
            { value: "", label: t("manage.clone_now") },
            ...snapshots.map((name) => ({
              value: name,
              label: t("manage.clone_snapshot", { name: oneLine(name, 60) }),
            })),
          ]}
        />
      )}
    </ManageForm>
  );
}
