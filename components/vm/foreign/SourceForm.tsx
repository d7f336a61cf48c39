import { OS_TYPES } from "../../../lib/contract/choices.ts";
import { foreign as texts } from "../../../lib/i18n/en/foreign.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import { Field, type FieldChoice, SelectField, TextField } from "../../kit/Field.tsx";
import { Panel } from "../../kit/Panel.tsx";

const { t } = textsOf(texts);
/** Identity that the user has compared → label of its checkbox. */
const COMPARED = { certificate: "foreign.same_certificate", hostKey: "foreign.same_hostKey" } as const;

/** Props of {@link SourceForm}. */
export interface SourceFormProps {
  /** Values typed before. */
  typed: Readonly<Record<string, string>>;
  /** Other hosts whose VMs can be imported. */
  hosts: readonly FieldChoice[];
  /** A server's certificate or key that it has shown, to be compared. */
  compared?: { readonly name: "certificate" | "hostKey"; readonly value: string } | undefined;
}

const kinds = () => [
  { value: "vmx", label: t("foreign.kind_vmx") },
  { value: "proxmox", label: t("foreign.kind_proxmox") },
  { value: "hyperv", label: t("foreign.kind_hyperv") },
];
const servers = () => [
  { value: "esxi", label: t("foreign.kind_esxi") },
  { value: "vcenter", label: t("foreign.kind_vcenter") },
  { value: "proxmox-ssh", label: t("foreign.kind_proxmox-ssh") },
];
const generations = () => [
  { value: "", label: t("foreign.generation_any") },
  { value: "1", label: t("foreign.generation_1") },
  { value: "2", label: t("foreign.generation_2") },
];
const OS_WORDS = {
  linux: "foreign.os_linux",
  windows: "foreign.os_windows",
  other: "foreign.os_other_kind",
} as const;
const systems = () => [
  { value: "", label: t("foreign.os_any") },
  ...OS_TYPES.map((value) => ({ value, label: t(OS_WORDS[value]) })),
];

/** A server that is signed in to. */
function ServerForm({ typed, compared }: Pick<SourceFormProps, "typed" | "compared">) {
  const isIt = servers().some(({ value }) => value === typed.kind);
  return (
    <form method="post">
      <input type="hidden" name="step" value="look" />
      <Panel title={t("foreign.server_title")}>
        <p class="dialog-body">{t("foreign.server_what")}</p>
        <div class="form-grid">
          <SelectField
            label={t("foreign.server_kind")}
            name="kind"
            choices={servers()}
            value={isIt ? typed.kind! : "esxi"}
          />
          <TextField
            label={t("foreign.server")}
            hint={t("foreign.server_hint")}
            name="origin"
            required
            maxLength={4096}
            defaultValue={isIt ? typed.origin ?? "" : ""}
          />
          <TextField
            label={t("foreign.username")}
            name="username"
            maxLength={255}
            autocomplete="off"
            defaultValue={typed.username ?? "root"}
          />
          <TextField
            label={t("foreign.password")}
            hint={t("foreign.password_hint")}
            name="password"
            type="password"
            maxLength={1024}
            autocomplete="off"
          />
          {compared !== undefined && (
            <label class="check form-field wide">
              <input type="checkbox" name={compared.name} value={compared.value} required />
              <span>
                {t(COMPARED[compared.name])} <span class="mono">{compared.value}</span>
              </span>
            </label>
          )}
        </div>
        <div class="form-actions">
          <button type="submit" class="button primary">{t("foreign.server_list")}</button>
        </div>
      </Panel>
    </form>
  );
}

/** Source of a VM: a server, files on this host, or another host. Plain forms. */
export function SourceForm({ typed, hosts, compared }: SourceFormProps) {
  return (
    <>
      <ServerForm typed={typed} compared={compared} />
      <form method="post" encType="multipart/form-data">
        <input type="hidden" name="step" value="look" />
        <Panel title={t("foreign.folder_title")}>
          <p class="dialog-body">{t("foreign.folder_what")}</p>
          <div class="form-grid">
            <SelectField
              label={t("foreign.kind")}
              name="kind"
              choices={kinds()}
              value={kinds().find(({ value }) => value === typed.kind)?.value ?? "vmx"}
            />
            <TextField
              label={t("foreign.from")}
              hint={t("foreign.from_hint")}
              name="origin"
              required
              maxLength={4096}
              defaultValue={kinds().some(({ value }) => value === (typed.kind ?? "vmx"))
                ? typed.origin ?? ""
                : ""}
            />
            <TextField
              label={t("foreign.vm")}
              hint={t("foreign.vm_hint")}
              name="vm"
              maxLength={255}
              defaultValue={typed.vm ?? ""}
            />
            <TextField
              label={t("foreign.definition")}
              hint={t("foreign.definition_hint")}
              name="definitionFile"
              type="file"
              accept=".vmx,.conf,text/plain"
            />
            <SelectField
              label={t("foreign.os_type")}
              name="osType"
              choices={systems()}
              value={typed.osType ?? ""}
            />
            <SelectField
              label={t("foreign.generation")}
              name="generation"
              choices={generations()}
              value={typed.generation ?? ""}
            />
            <Field
              label={t("foreign.more_disks")}
              hint={t("foreign.more_disks_hint")}
              wide
              control={(ties) => (
                <textarea
                  class="input"
                  name="moreDisks"
                  rows={2}
                  maxLength={6000}
                  spellcheck={false}
                  {...ties}
                >
                  {typed.moreDisks ?? ""}
                </textarea>
              )}
            />
          </div>
          <div class="form-actions">
            <button type="submit" class="button primary">{t("foreign.look")}</button>
          </div>
        </Panel>
      </form>
      <form method="get">
        <input type="hidden" name="kind" value="libvirt" />
        <Panel title={t("foreign.host_title")}>
          <p class="dialog-body">{t("foreign.host_what")}</p>
          {hosts.length === 0 ? <p class="dialog-body">{t("foreign.host_none")}</p> : (
            <>
              <div class="form-grid">
                <SelectField
                  label={t("foreign.host")}
                  name="origin"
                  choices={hosts}
                  value={typed.kind === "libvirt" ? typed.origin ?? "" : ""}
                />
              </div>
              <div class="form-actions">
                <button type="submit" class="button">{t("foreign.host_list")}</button>
              </div>
            </>
          )}
        </Panel>
      </form>
    </>
  );
}
