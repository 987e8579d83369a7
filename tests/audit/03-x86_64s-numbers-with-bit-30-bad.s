; class 3: x86_64s numbers with bit 30
ld arch
jeq #AUDIT_ARCH_X86_64, ours, foreign
ours: ld nr
jeq #__NR_kexec_load, deny
jeq #__NR_kexec_file_load, deny
jeq #0x40000210, deny
jeq #0x40000140, deny
jge #512, own, fine
own: jgt #547, fine, deny
fine: ret allow
deny: ret errno(EPERM)
foreign: ret kill_process
