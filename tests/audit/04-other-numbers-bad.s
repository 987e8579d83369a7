; class 4: other numbers
ld arch
jeq #AUDIT_ARCH_X86_64, ours
jeq #AUDIT_ARCH_I386, ours
ret kill_process
ours: ld nr
jeq #0, allow
jeq #1, allow
jeq #60, allow
deny: ret errno(EPERM)
allow: ret allow
