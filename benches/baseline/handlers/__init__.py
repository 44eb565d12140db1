"""The baseline: submit, dispatch, callback and status as plain Python handlers on boto3 and Powertools.

Same public JSON, same messages, same conditions and same two indexes as the functions of RYLA; what a competent team
would write in a week. Clients stand at module level, nothing sleeps, nothing is logged.
"""
