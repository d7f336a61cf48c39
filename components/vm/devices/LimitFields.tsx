import { DISK_LIMITS, NIC_LIMITS } from "../../../lib/contract/limit_names.ts";
import type {
  CommandName,
  DiskLimit,
  DiskLimitValues,
  Input,
  NicLimit,
  NicLimitValues,
} from "../../../lib/contract/mod.ts";
import type { FieldPath } from "../../../lib/text/command_fields.ts";
import { deviceLimits as texts } from "../../../lib/i18n/en/device_limits.ts";
import { textsOf } from "../../../lib/i18n/mod.ts";
import type { DiskCommand } from "./disk_fields.const.ts";
import type { NicCommand } from "./nic_fields.const.ts";
import { ContractFields, type ContractForm } from "../../kit/ContractField.tsx";

const { t } = textsOf(texts);

/** Whether any of these is set: a disclosure is open then, so that what holds is seen. */
const isSet = (names: readonly (DiskLimit | NicLimit)[], limits: DiskLimitValues & NicLimitValues) =>
  names.some((name) => limits[name] !== undefined);

/** Whether something is wrong with any of these. */
const isWrong = (names: readonly string[], { errorOf }: Pick<DiskForm, "errorOf">) =>
  names.some((name) => errorOf?.(name) !== undefined);

type DiskForm = ContractForm<DiskCommand>;
type NicForm = ContractForm<NicCommand>;

interface LimitsProps<C extends CommandName> {
  form: ContractForm<C>;
  names: readonly (FieldPath<Input<C>> & (DiskLimit | NicLimit))[];
  limits: DiskLimitValues & NicLimitValues;
  part?: string | undefined;
}

/** Limits in the units that people type: only what was changed is sent, so that none is rounded that stays. */
function Limits<C extends CommandName>({ form, names, limits, part }: LimitsProps<C>) {
  return (
    <div class="device-grid limit-grid">
      <ContractFields
        form={form}
        fields={names}
        values={limits}
        {...(part !== undefined && { part })}
      />
    </div>
  );
}

/** The limits of bursts, which few people need. */
function Bursts<C extends CommandName>(props: LimitsProps<C>) {
  const { names, limits, form } = props;
  return (
    <details class="device-more" open={isWrong(names, form) || isSet(names, limits)}>
      <summary>{t("limits.bursts")}</summary>
      <p class="text-muted">{t("limits.burst_what")}</p>
      <Limits {...props} />
    </details>
  );
}

const DISK_BURSTS = DISK_LIMITS.filter((name) => name.includes("Max"));
const DISK_BASES = DISK_LIMITS.filter((name) => !name.includes("Max"));

/** How much a guest may read and write. @param isOpen they are what the form is about */
export function DiskLimitFields({ form, limits = {}, isOpen = false, part }: {
  form: DiskForm;
  limits?: DiskLimitValues;
  isOpen?: boolean;
  part?: string;
}) {
  return (
    <details
      class="device-more"
      data-for="disk"
      open={isOpen || isWrong(DISK_LIMITS, form) || isSet(DISK_LIMITS, limits)}
    >
      <summary>{t("limits.title")}</summary>
      <p class="text-muted">
        {t("limits.disk_what")} {t("limits.disk_total")}
      </p>
      <Limits {...{ form, limits, part }} names={DISK_BASES} />
      <Bursts {...{ form, limits, part }} names={DISK_BURSTS} />
    </details>
  );
}

/** Peak of what is sent is left to programs: Linux does not use it. */
const NIC_BURSTS: readonly NicLimit[] = ["inboundPeak", "inboundBurst", "outboundBurst"];
const NIC_BASES: readonly NicLimit[] = ["inboundAverage", "outboundAverage"];

/** How much a guest may receive and send. */
export function NicLimitFields({ form, limits = {} }: {
  form: NicForm;
  limits?: NicLimitValues;
}) {
  return (
    <details class="device-more" open={isWrong(NIC_LIMITS, form) || isSet(NIC_LIMITS, limits)}>
      <summary>{t("limits.title")}</summary>
      <p class="text-muted">{t("limits.nic_what")}</p>
      <Limits {...{ form, limits }} names={NIC_BASES} />
      <Bursts {...{ form, limits }} names={NIC_BURSTS} />
    </details>
  );
}
