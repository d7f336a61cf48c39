/** Boxes to tick, each a row of a list. */
export function CheckboxGroup({ legend, name, rows, ticked, class: extra = "" }: {
  legend: string;
  name: string;
  rows: readonly { readonly value: string; readonly label: string }[];
  ticked: ReadonlySet<string>;
  class?: string;
}) {
  return (
    <fieldset class={`choices form-field wide ${extra}`.trim()}>
      <legend>{legend}</legend>
      <div class="box-list">
        {rows.map(({ value, label }, index) => (
          <label key={value} class="check">
            <input
              type="checkbox"
              name={`${name}.${index}`}
              value={value}
              defaultChecked={ticked.has(value)}
            />
            <span>
              <bdi>{label}</bdi>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
