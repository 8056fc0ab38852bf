/** The one place that knows our canonical base: whoever publishes a server of their own sets theirs here. */
export const canonical = 'https://kindred.example/fhir';

export const consentKindSystem = `${canonical}/CodeSystem/consent-kind`;
