import { expect, test } from '@jest/globals';
import { validateManifests } from '../deploy/kubernetes/validate.ts';

const pod = (probe: string) => `
apiVersion: v1
kind: Pod
metadata:
  name: one
  labels: { any.name: is-good }
spec:
  containers:
    - name: one
      image: one
      livenessProbe: { httpGet: { path: /health, port: http }, ${probe} }
`;

test('a manifest as Kubernetes takes it is accepted', () => {
  expect(validateManifests(pod('periodSeconds: 5'))).toEqual([]);
});

test('a mistyped field, a wrong type, a missing field and an unknown kind are reported', () => {
  expect(validateManifests(pod('periodSecond: 5'))).toEqual([
    'Pod one/spec/containers/0/livenessProbe/periodSecond: unknown field',
  ]);
  expect(validateManifests(pod('periodSeconds: "5"'))).toEqual([
    'Pod one/spec/containers/0/livenessProbe/periodSeconds: type {"type":"integer"}',
  ]);
  expect(validateManifests(pod('periodSeconds: 5').replace('- name: one', '- args: []'))).toEqual([
    'Pod one/spec/containers/0: required {"missingProperty":"name"}',
  ]);
  expect(validateManifests('apiVersion: apps/v1\nkind: Pod\nmetadata: { name: one }')).toEqual([
    'Pod one: apps/v1 has no such kind',
  ]);
});
