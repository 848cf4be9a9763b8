/** The form of what is said with values: a template has a `{name}` wherever a value goes. */

export type Templates = Readonly<Record<string, string>>;

/** The names of the values that a template wants. */
export type Slots<Template extends string> = Template extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Slots<Rest>
  : never;

/** A text that has all of these names in it, in whatever order its language wants them. */
type With<Name extends string> = (
  Name extends string ? (text: `${string}{${Name}}${string}`) => void : never
) extends (text: infer All) => void
  ? All & string
  : string;

/** The same in another language. A template that is missing or wants too little does not compile. */
export type Translation<Theme extends Templates> = {
  readonly [Key in keyof Theme]: With<Slots<Theme[Key]>>;
};
