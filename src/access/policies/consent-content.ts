import { type Issue, Problem } from '../../fhir/problem.ts';
import type { Resource } from '../../fhir/types.ts';
import { type ConsentKind, isPrivacyConsent, kindOf } from '../consent.ts';
import { type Element, elements, hasModifier, referenceName } from '../elements.ts';
import { rowsOf } from '../provision.ts';

/** The kinds that a person activates in our own pages after a proposal. */
export const proposable: readonly ConsentKind[] = ['authorized-user', 'share', 'restriction'];

/**
 * What makes a Consent of a kind well-formed, besides R4 itself. Evaluation fails closed on whatever else is found in one; so that a person is never told that
 * something is permitted which is not, it is refused here. Throws a Problem with every mistake.
 */
export function checkConsent(consent: Resource): ConsentKind {
  const issues: Issue[] = [];
  const wrong = (text: string, path: string): void => void issues.push({ code: 'business-rule', text, expression: `Consent.${path}` });
  const kind = kindOf(consent);
  if (kind === undefined) wrong('a Consent has exactly one category of the code system consent-kind', 'category');
  if (!isPrivacyConsent(consent)) wrong('the scope of a Consent is `patient-privacy`', 'scope');
  if (referenceName(consent.patient) === undefined) wrong('a Consent names its patient by a literal reference to a Patient here', 'patient');
  const { provision, text: _text, ...head } = consent;
  if (hasModifier(head) || hasModifier(provision)) wrong('no modifierExtension is understood here', 'modifierExtension');
  const [root] = elements(provision);
  if (root === undefined) wrong('a Consent says in `provision` what it permits or denies', 'provision');
  else if (kind !== undefined) checkTree(root, kind, wrong);
  if (issues.length > 0) throw new Problem('business-rule', issues[0]!.text, { issues });
  return kind!;
}

function checkTree(root: Element, kind: ConsentKind, wrong: (text: string, path: string) => void): void {
  const nodes = nodesOf(root, 'provision');
  const expected = kind === 'restriction' ? 'deny' : 'permit';
  if (root.type !== expected) wrong(`the root of a Consent of kind \`${kind}\` has type \`${expected}\``, 'provision.type');
  for (const { element, path } of nodes) {
    if (element.type !== 'permit' && element.type !== 'deny') wrong('every provision has type `permit` or `deny`', `${path}.type`);
    if (kind === 'restriction' && element.type === 'permit') wrong('a restriction only denies', `${path}.type`);
  }
  if (root.type === 'permit' && elements(root.actor).length === 0) wrong('a permit names in `actor` whom it permits', 'provision.actor');
  // A node that is not understood would permit nothing, or deny more than it says.
  let misread = false;
  const rows = rowsOf(root, {
    consent: 'Consent/checked',
    record: 'Patient/checked',
    kind,
    headUnderstood: true,
    misread: () => {
      misread = true;
    },
  });
  if (misread || rows.length !== nodes.length)
    wrong('some provision names a label, code, purpose, action, actor or period that is not understood here', 'provision');
}

interface Place {
  readonly element: Element;
  readonly path: string;
}
const nodesOf = (element: Element, path: string): readonly Place[] => [
  { element, path },
  ...elements(element.provision).flatMap((child, index) => nodesOf(child, `${path}.provision[${index}]`)),
];

/** Whether two Consents say the same, `status` and what the server sets aside. */
export function saysTheSame(one: Resource, other: Resource): boolean {
  const { status: _status, meta: _meta, ...content } = one;
  const { status: _other, meta: _others, ...compared } = other;
  return canonicalText(content) === canonicalText(compared);
}

const canonicalText = (value: unknown): string =>
  JSON.stringify(value, (_name, member) =>
    typeof member === 'object' && member !== null && !Array.isArray(member)
      ? Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : member,
  );
