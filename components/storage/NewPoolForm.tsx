import type { StoragePoolType, StorageSource } from "../../lib/contract/mod.ts";
import type { Failure } from "../../lib/text/failure.ts";
import { storage as texts } from "../../lib/i18n/en/storage.ts";
import { type PlainKeyOf, textsOf } from "../../lib/i18n/mod.ts";
import { formHref } from "../../lib/text/form_href.ts";
import { oneLine } from "../../lib/text/text.ts";
import type { FoundType } from "../../lib/contract/choices.ts";
import type { USUAL_POOL } from "../../lib/host/ready.ts";
import { isFoundType, POOL_KINDS, type PoolField } from "../../lib/storage/pool_types.ts";
import { CheckField, SelectField, TextField } from "../kit/Field.tsx";
import { typeName } from "./PoolParts.tsx";
import { StorageFailure, StorageForm } from "./StorageForm.tsx";

const { t } = textsOf(texts);

type StorageKey = PlainKeyOf<typeof texts>;

/** Field → its label and hint. */
const FIELDS: Readonly<Record<Exclude<PoolField, "format">, { label: StorageKey; hint?: StorageKey }>> = {
  path: { label: "storage.field_path", hint: "storage.field_path_hint" },
  device: { label: "storage.field_device", hint: "storage.field_device_hint" },
  sourceHost: { label: "storage.field_sourceHost", hint: "storage.field_sourceHost_hint" },
  sourcePath: { label: "storage.field_sourcePath" },
  sourceName: { label: "storage.field_sourceName", hint: "storage.field_sourceName_hint" },
  username: { label: "storage.field_username" },
  secret: { label: "storage.field_secret" },
};

/** Type → what looks for it. */
const FINDS: Readonly<Record<FoundType, StorageKey>> = {
  netfs: "storage.find_netfs",
  iscsi: "storage.find_iscsi",
  gluster: "storage.find_gluster",
  logical: "storage.find_logical",
};

/** Props of {@link NewPoolForm}. */
export interface NewPoolFormProps {
  types: readonly StoragePoolType[];
  type: StoragePoolType;
  /** The pool that every tool for libvirt uses, where there is none yet: what the form begins with. */
  usual: typeof USUAL_POOL | undefined;
  /** Values of a refused form or of a search for sources. */
  typed: Readonly<Record<string, string>>;
  errorAt: (field: string) => string | undefined;
  /** Why nothing could be looked for. */
  findFailure: Failure | null;
  /** Found sources; null without a search. */
  found: readonly StorageSource[] | null;
}

/** The kinds of storage, as links: without script, too, the form has just the fields of the one that is chosen. */
function Kinds({ types, type }: Pick<NewPoolFormProps, "types" | "type">) {
  return (
    <nav class="storage-kinds" aria-label={t("storage.type_choose")}>
      <ul>
        {types.map((each) => (
          <li key={each.type}>
            <a
              href={`/storage?do=create&type=${each.type}`}
              aria-current={each.type === type.type ? "true" : undefined}
            >
              <strong>{typeName(each.type)}</strong>
              <small>
                {each.available ? each.type : `${t("storage.here_not")}: ${oneLine(each.reason ?? "", 120)}`}
              </small>
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}

/** Found sources, as links that fill the form. */
function Found({ type, typed, found }: Pick<NewPoolFormProps, "type" | "typed" | "found">) {
  if (found === null) return null;
  if (found.length === 0) return <p class="form-hint" role="status">{t("storage.found_none")}</p>;
  const filled = (source: StorageSource) =>
    new URLSearchParams({
      do: "create",
      type: type.type,
      ...(typed.name !== undefined && { name: typed.name }),
      ...source,
    });
  return (
    <div role="status">
      <p class="form-hint">{t("storage.found")}</p>
      <ul class="storage-found">
        {found.map((source) => (
          <li key={JSON.stringify(source)}>
            <a href={`/storage?${filled(source)}`}>
              <bdi class="mono">
                {oneLine(
                  [source.sourceHost, source.sourceName, source.sourcePath, source.device].filter(Boolean)
                    .join(
                      " ",
                    ),
                )}
              </bdi>
            </a>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Making a storage pool. */
export function NewPoolForm(
  { types, type, usual, typed: given, errorAt, findFailure, found }: NewPoolFormProps,
) {
  const typed = type.type === "dir" ? { ...usual, ...given } : given;
  const { needs, may, build, target } = POOL_KINDS[type.type];
  const fields = [...needs, ...may].filter((field) => field !== "format");
  const hintOf = (field: Exclude<PoolField, "format">) => {
    if (field === "path" && target !== undefined) return t("storage.field_path_usual");
    if (field === "device" && type.type === "iscsi") return undefined;
    const { hint } = FIELDS[field];
    return hint && t(hint);
  };
  return (
    <StorageForm
      title={t("storage.new")}
      action={formHref("create_storage_pool", {}, "/storage/{name}", `/storage?do=create&type=${type.type}`)}
      submit={t("storage.create")}
      cancel="/storage"
    >
      {findFailure !== null && (
        <div class="wide form-field">
          <StorageFailure failure={findFailure} />
        </div>
      )}
      <div class="wide form-field">
        <Kinds types={types} type={type} />
      </div>
      {!type.available && <p class="wide form-field form-error">{type.reason}</p>}
      <input type="hidden" name="type" value={type.type} />
      <TextField
        label={t("storage.name")}
        hint={t("storage.name_hint")}
        error={errorAt("name")}
        name="name"
        required
        maxLength={64}
        defaultValue={typed.name ?? ""}
      />
      {fields.map((field) => {
        const hint = hintOf(field);
        return (
          <TextField
            key={field}
            label={field === "device" && type.type === "iscsi"
              ? t("storage.field_target")
              : t(FIELDS[field].label)}
            {...(hint !== undefined && { hint })}
            error={errorAt(field)}
            name={field}
            required={needs.includes(field)}
            maxLength={1024}
            defaultValue={typed[field] ?? ""}
          />
        );
      })}
      {type.available && isFoundType(type.type) && (
        <div class="wide form-field">
          <span>
            <button
              type="submit"
              class="button"
              formMethod="get"
              formAction="/storage"
              formNoValidate
              name="find"
              value="yes"
            >
              {t(FINDS[type.type])}
            </button>
          </span>
          <Found type={type} typed={typed} found={found} />
        </div>
      )}
      {may.includes("format") && type.formats.length > 0 && (
        <SelectField
          label={t("storage.field_format")}
          name="format"
          value={typed.format ?? ""}
          choices={[
            { value: "", label: t("storage.field_format_auto") },
            ...type.formats.map((format) => ({ value: format, label: format })),
          ]}
        />
      )}
      {build === "asked" && (
        <CheckField
          wide
          label={t("storage.build")}
          hint={t("storage.build_hint")}
          name="build"
          value="yes"
          defaultChecked={typed.build === "yes"}
        />
      )}
      <input type="hidden" name="autostart" value="no" />
      <CheckField
        wide
        label={t("storage.autostart_on")}
        name="autostart"
        value="yes"
        defaultChecked={typed.autostart !== "no"}
      />
    </StorageForm>
  );
}
