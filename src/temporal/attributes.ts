import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

// Search attributes are never encrypted: surrogate ids, statuses and dates only.
export const TENANT = defineSearchAttributeKey('TrothTenant', SearchAttributeType.KEYWORD);
export const ACCOUNT = defineSearchAttributeKey('TrothAccount', SearchAttributeType.KEYWORD);
export const STATUS = defineSearchAttributeKey('TrothStatus', SearchAttributeType.KEYWORD);
export const DEBT_CLASS = defineSearchAttributeKey('TrothDebtClass', SearchAttributeType.KEYWORD);
export const NEXT_JUDGE_AT = defineSearchAttributeKey('TrothNextJudgeAt', SearchAttributeType.DATETIME);

/** Name and kind of every search attribute, for registering them. */
export const SEARCH_ATTRIBUTES = [TENANT, ACCOUNT, STATUS, DEBT_CLASS, NEXT_JUDGE_AT];
