import { expect, it } from 'vitest';
import { bare, hostOf } from './addresses';

it('an address is read without its scheme and its fingerprint', () => {
  expect(hostOf('wss://relay.example.org:3030#ab12')).toBe('relay.example.org:3030');
  expect(hostOf('ws://127.0.0.1:3030')).toBe('127.0.0.1:3030');
  expect(hostOf('relay.example.org')).toBe('relay.example.org');
  expect(bare('wss://10.0.0.2:3030#x')).toBe('wss://10.0.0.2:3030');
});
