"""Scripts of calls: what comes to a device whose keys are known, step by step, and what it must do and report.

    people    accounts and devices, the same in all scripts
    room      a call's group as everybody but the device sees it, honest or not
    script    the steps of a case, and what must come of each
    states    the named states in which scripts begin
    told      what a device reports, in the words of the chapter Calls
    the rest  the recipes, a group a module

Nothing that the device itself sends has to be known: what follows never depends on it.
"""
