; class 4: denied on one abi
ld arch
jeq #AUDIT_ARCH_X86_64, ours
jeq #AUDIT_ARCH_I386, theirs, foreign
ours: ld nr
jge #0x40000000, foreign
jeq #169, deny
ret allow
theirs: ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
