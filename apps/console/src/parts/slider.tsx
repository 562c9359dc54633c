/** A labelled range with its value in words. */
export function Slider(props: {
  /** Unique on the page; the label in small letters otherwise. */
  id?: string;
  label: string;
  low: number;
  high: number;
  step: number;
  value: number;
  text: string;
  onChange: (value: number) => void;
}) {
  const id = props.id ?? `slider-${props.label.toLowerCase().replace(" ", "-")}`;
  return (
    <div class="slider">
      <label for={id}>
        {props.label}
        <span class="slider-value" aria-hidden="true">
          {props.text}
        </span>
      </label>
      <input
        id={id}
        type="range"
        min={props.low}
        max={props.high}
        step={props.step}
        value={props.value}
        aria-valuetext={props.text}
        onInput={(event) => props.onChange(Number(event.currentTarget.value))}
      />
    </div>
  );
}
