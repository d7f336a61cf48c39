import type { NewNic } from "../../../lib/contract/mod.ts";
import { SelectField, TextField } from "../../kit/Field.tsx";
import { Icon } from "../../kit/Icon.tsx";
import { networkChoices, pluggedInto } from "./BasicFields.tsx";
import { Disclosure } from "../../kit/Disclosure.tsx";
import { automatic, type CreateProps, deviceChoices, t, undefinedIfEmpty } from "./props.ts";

function NicRow({ model, options, index, nic }: CreateProps & { index: number; nic: NewNic }) {
  const at = `nics.${index}`;
  const n = index + 1;
  const { model: card, mac, network: _network, bridge: _bridge, ...rest } = nic;
  const place = nic.bridge !== undefined ? { bridge: nic.bridge } : { network: nic.network ?? "" };
  const kept = { ...(card !== undefined && { model: card }), ...(mac !== undefined && { mac }) };
  const change = (next: NewNic) => model.changeNic(index, { ...rest, ...place, ...kept, ...next });
  return (
    <fieldset class="form-row">
      <legend>{t("create.nic_n", { n })}</legend>
      <div class="form-grid">
        <SelectField
          label={t("create.network")}
          value={nic.bridge !== undefined ? `/${nic.bridge}` : nic.network ?? ""}
          choices={networkChoices(options)}
          hint={model.warning(`${at}.network`)}
          error={model.error(`${at}.network`) ?? model.error(`${at}.bridge`) ?? model.error(at)}
          onChange={({ currentTarget: { value } }) =>
            model.changeNic(index, { ...rest, ...kept, ...pluggedInto(value) })}
        />
        <SelectField
          label={t("create.model")}
          value={card ?? ""}
          choices={[
            automatic(model.resolved.value?.nics[index]?.model),
            ...deviceChoices("model", options.nicModels),
          ]}
          error={model.error(`${at}.model`)}
          onChange={({ currentTarget: { value } }) => {
            const chosen = undefinedIfEmpty(value) as NewNic["model"];
            if (chosen !== undefined) return change({ model: chosen });
            model.changeNic(index, { ...rest, ...place, ...(mac !== undefined && { mac }) });
          }}
        />
        <TextField
          label={t("create.mac")}
          hint={t("create.mac_hint")}
          placeholder="52:54:00:…"
          value={mac ?? ""}
          error={model.error(`${at}.mac`)}
          onInput={({ currentTarget: { value } }) => {
            if (value !== "") return change({ mac: value });
            model.changeNic(index, { ...rest, ...place, ...(card !== undefined && { model: card }) });
          }}
        />
      </div>
      <button
        type="button"
        class="icon-button"
        aria-label={t("create.remove_nic", { n })}
        title={t("create.remove")}
        onClick={() => model.changeNic(index, null)}
      >
        <Icon name="trash" />
      </button>
    </fieldset>
  );
}

/** Every network card, with what is rarely chosen. */
export function NewNicFields(props: CreateProps) {
  const { model, options } = props;
  const nics = model.nics.value;
  const first = networkChoices(options)[0]?.value;
  return (
    <Disclosure
      title={t("create.more_nics")}
      wrong={nics.some((_, n) => model.error(`nics.${n}`) !== undefined)}
    >
      {nics.length === 0 && <p class="form-note">{t("create.no_nics")}</p>}
      {nics.map((nic, index) => <NicRow key={index} {...props} index={index} nic={nic} />)}
      <div class="form-actions">
        <button
          type="button"
          class="button"
          disabled={first === undefined}
          onClick={() => first !== undefined && model.set({ nics: [...nics, pluggedInto(first)] })}
        >
          {t("create.add_nic")}
        </button>
      </div>
    </Disclosure>
  );
}
